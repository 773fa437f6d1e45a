package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/** A function applied to every element. */
public record Activation(ScalarFunction function) implements Op {
  /** Returns whether an operation applies a function that {@link ScalarFunction#rectifies}. */
  public static boolean rectifies(Op op) {
    return op instanceof Activation activation && activation.function().rectifies();
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return inputs.get(0);
  }

  @Override
  public boolean homogeneous() {
    return function.homogeneous();
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.activation(this);
  }
}
