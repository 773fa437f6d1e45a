package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/** Repeats every row and every column; on {@code [C, T]} the factor's height must be 1. */
public record Upsample(Extent factor) implements Op {
  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape input = inputs.get(0);
    Checks.that(input.rank() == 2 || input.rank() == 3, "input", "be [C, T] or [C, H, W]", input);
    return input.withSpatial(
        input.channels(),
        times(input.height(), factor.height()),
        times(input.width(), factor.width()));
  }

  private static int times(int size, int factor) {
    return size == Shape.UNKNOWN ? size : Math.multiplyExact(size, factor);
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
    return visitor.upsample(this);
  }
}
