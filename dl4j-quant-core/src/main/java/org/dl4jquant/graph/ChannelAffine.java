package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * {@code y = weight[c] * x + bias[c]} for every element of channel c: batch normalization at
 * inference, where it cannot be folded into another operation.
 *
 * @param weight {@code [channels]}
 * @param bias {@code [channels]}
 */
public record ChannelAffine(Tensor weight, Tensor bias) implements Weighted {
  public ChannelAffine {
    Weighted.check(weight, bias, 1);
  }

  @Override
  public ChannelAffine withParameters(Tensor newWeight, Tensor newBias) {
    return new ChannelAffine(newWeight, newBias);
  }

  @Override
  public int inputChannels() {
    return weight.size(0);
  }

  @Override
  public int inputChannel(int outputChannel, int slice) {
    return outputChannel;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape input = inputs.get(0);
    Checks.that(
        input.channels() == inputChannels() || input.channels() == Shape.UNKNOWN,
        "input",
        "have " + inputChannels() + " channels",
        input);
    return input.withSize(0, inputChannels());
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.channelAffine(this);
  }
}
