package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/**
 * A named input of the network.
 *
 * @param shape batch excluded; unknown sizes are allowed
 */
public record Input(Shape shape) implements Op {
  @Override
  public boolean takes(int inputs) {
    return inputs == 0;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return shape;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.input(this);
  }
}
