package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * {@code y = W x + b} on {@code [features]}. For each step of a sequence, use a {@link Convolution}
 * with a 1 by 1 kernel.
 *
 * @param weight {@code [outputs, inputs]}
 * @param bias {@code [outputs]}
 */
public record Dense(Tensor weight, Tensor bias) implements Weighted {
  public Dense {
    Weighted.check(weight, bias, 2);
  }

  @Override
  public Dense withParameters(Tensor newWeight, Tensor newBias) {
    return new Dense(newWeight, newBias);
  }

  @Override
  public int inputChannels() {
    return weight.size(1);
  }

  @Override
  public int inputChannel(int outputChannel, int slice) {
    return slice;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape expected = Shape.of(inputChannels());
    Checks.that(expected.accepts(inputs.get(0)), "input", "have shape " + expected, inputs.get(0));
    return Shape.of(outputChannels());
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.dense(this);
  }
}
