package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/** The softmax over the channels, at every position; computed in float. */
public record Softmax() implements Op {
  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return inputs.get(0);
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.softmax(this);
  }
}
