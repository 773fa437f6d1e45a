package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/** All elements of an example as features, in row-major order. */
public record Flatten() implements Op {
  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return Shape.of(inputs.get(0).elements());
  }

  @Override
  public boolean homogeneous() {
    return true;
  }

  @Override
  public boolean keepsCodes() {
    return true;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.flatten(this);
  }
}
