package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/** The maximum of each window; padding never wins. */
public record MaxPool(Window window) implements Op {
  public MaxPool {
    requirePaddingBelowReach(window);
  }

  static void requirePaddingBelowReach(Window window) {
    if (window.padding() instanceof Padding.Explicit pads) {
      Checks.that(
          Math.max(pads.top(), pads.bottom()) < window.reachHeight()
              && Math.max(pads.left(), pads.right()) < window.reachWidth(),
          "padding",
          "be smaller than the window, so that none is empty",
          pads);
    }
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return window.slideOver(inputs.get(0), inputs.get(0).channels());
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
    return visitor.maxPool(this);
  }
}
