package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/** Cuts off the borders of every channel; on {@code [C, T]} left and right are before and after. */
public record Crop(Padding.Explicit amounts) implements Op {
  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return resized(inputs.get(0), amounts, -1);
  }

  static Shape resized(Shape input, Padding.Explicit amounts, int sign) {
    Checks.that(input.rank() == 2 || input.rank() == 3, "input", "be [C, T] or [C, H, W]", input);
    int height = resized(input.height(), sign * (amounts.top() + amounts.bottom()));
    int width = resized(input.width(), sign * (amounts.left() + amounts.right()));
    return input.withSpatial(input.channels(), height, width);
  }

  private static int resized(int size, int change) {
    if (size == Shape.UNKNOWN) {
      return size;
    }
    Checks.that(size + change >= 1, "amounts", "leave at least one of " + size, -change);
    return size + change;
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
    return visitor.crop(this);
  }
}
