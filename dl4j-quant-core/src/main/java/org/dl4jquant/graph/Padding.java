package org.dl4jquant.graph;

import org.dl4jquant.internal.Checks;

/** How an input is surrounded by zeros before a window slides over it. */
public sealed interface Padding {
  /** No padding. */
  Padding NONE = new Explicit(0, 0, 0, 0);

  /**
   * {@code ceil(size / stride)} outputs; the odd zero comes at the end, as in DL4J and TensorFlow.
   */
  Padding SAME = new Same();

  /** All zeros before the first step of the time axis, so that no output sees a later input. */
  Padding CAUSAL = new Causal();

  /** Returns the same padding on opposite sides. */
  static Padding symmetric(int vertical, int horizontal) {
    return new Explicit(vertical, horizontal, vertical, horizontal);
  }

  /**
   * Returns the zeros for an input of this size.
   *
   * @param height at least 1
   * @param width at least 1
   */
  Explicit resolve(int height, int width, Extent kernel, Extent strides, Extent dilation);

  /** A fixed number of zeros on each side. */
  record Explicit(int top, int left, int bottom, int right) implements Padding {
    public Explicit {
      Checks.that(
          Math.min(Math.min(top, left), Math.min(bottom, right)) >= 0,
          "padding",
          "not be negative",
          "[" + top + ", " + left + ", " + bottom + ", " + right + "]");
    }

    @Override
    public Explicit resolve(int height, int width, Extent kernel, Extent strides, Extent dilation) {
      return this;
    }

    /** Returns true if there is nothing to add. */
    public boolean none() {
      return top == 0 && left == 0 && bottom == 0 && right == 0;
    }
  }

  /** See {@link #SAME}. */
  record Same() implements Padding {
    @Override
    public Explicit resolve(int height, int width, Extent kernel, Extent strides, Extent dilation) {
      int vertical = total(height, kernel.height(), strides.height(), dilation.height());
      int horizontal = total(width, kernel.width(), strides.width(), dilation.width());
      int top = vertical / 2;
      int left = horizontal / 2;
      return new Explicit(top, left, vertical - top, horizontal - left);
    }

    private static int total(int size, int kernel, int stride, int dilation) {
      int outputs = (size + stride - 1) / stride;
      return Math.max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size);
    }
  }

  /** See {@link #CAUSAL}. */
  record Causal() implements Padding {
    @Override
    public Explicit resolve(int height, int width, Extent kernel, Extent strides, Extent dilation) {
      return new Explicit(0, (kernel.width() - 1) * dilation.width(), 0, 0);
    }
  }
}
