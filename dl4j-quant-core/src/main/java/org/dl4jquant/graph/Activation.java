package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/** A function applied to every element. */
public record Activation(ScalarFunction function) implements Op {
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
