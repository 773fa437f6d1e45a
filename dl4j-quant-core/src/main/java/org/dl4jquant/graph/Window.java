package org.dl4jquant.graph;

import org.dl4jquant.internal.Checks;

/**
 * A window that slides over height and width. Outputs that would need input beyond the padding are
 * left out (floor).
 */
public record Window(Extent kernel, Extent strides, Extent dilation, Padding padding) {
  /** Returns a window without dilation. */
  public static Window of(Extent kernel, Extent strides, Padding padding) {
    return new Window(kernel, strides, Extent.ONE, padding);
  }

  /** Returns the zeros around an input of this size. */
  public Padding.Explicit pads(int height, int width) {
    return padding.resolve(height, width, kernel, strides, dilation);
  }

  /** Returns the height between the first and the last row that one output sees, both included. */
  public int reachHeight() {
    return (kernel.height() - 1) * dilation.height() + 1;
  }

  /** Returns the width between the first and the last column that one output sees. */
  public int reachWidth() {
    return (kernel.width() - 1) * dilation.width() + 1;
  }

  /** Returns the shape that the window makes of {@code input}, with another number of channels. */
  public Shape slideOver(Shape input, int channels) {
    Checks.that(input.rank() == 2 || input.rank() == 3, "input", "be [C, T] or [C, H, W]", input);
    Padding.Explicit pads = pads(Math.max(1, input.height()), Math.max(1, input.width()));
    int height = outputs("height", input.height(), pads.top() + pads.bottom(), true);
    int width = outputs("width", input.width(), pads.left() + pads.right(), false);
    return input.withSpatial(channels, height, width);
  }

  private int outputs(String axis, int size, int zeros, boolean vertical) {
    if (size == Shape.UNKNOWN) {
      return size;
    }
    int reach = vertical ? reachHeight() : reachWidth();
    int stride = vertical ? strides.height() : strides.width();
    int room = size + zeros - reach;
    Checks.that(
        room >= 0, axis, "be at least " + (reach - zeros) + " for a window of " + reach, size);
    return room / stride + 1;
  }
}
