package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * Anything that stays float: a recurrent layer, or one that nobody taught to compute in integers.
 *
 * @param name the kind that reports show, for example {@code LSTM}
 * @param reason why it stays float, as a clause: {@code "its gates are computed in float"}
 */
public record FloatFunction(String name, String reason, Kernel kernel) implements Op {
  /** The computation. */
  public interface Kernel {
    /** Returns the shape of the output, batch excluded; unknown sizes where only data tells. */
    Shape outputShape(ImmutableList<Shape> inputs);

    /**
     * Returns the output for a part of the batch. Called by several threads at once. The result for
     * one example must not depend on the others, nor may inputs be changed.
     */
    Tensor apply(ImmutableList<Tensor> inputs);
  }

  public FloatFunction {
    Checks.that(!name.isBlank(), "name", "not be blank", "'" + name + "'");
    Checks.that(!reason.isBlank(), "reason", "not be blank", "'" + reason + "'");
  }

  @Override
  public String kind() {
    return name;
  }

  @Override
  public boolean takes(int inputs) {
    return inputs >= 1;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return kernel.outputShape(inputs);
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.floatFunction(this);
  }
}
