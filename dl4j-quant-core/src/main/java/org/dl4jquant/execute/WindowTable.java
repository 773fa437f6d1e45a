package org.dl4jquant.execute;

import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Window;

/**
 * Which input row (column) meets which kernel row (column) at which output row (column).
 *
 * @param rows the input row for {@code outputRow * kernelHeight + kernelRow}, -1 for none
 * @param columns likewise
 */
record WindowTable(
    int kernelHeight, int kernelWidth, Lookup rows, Lookup columns, boolean everyPosition) {

  /** Input indices by output index and kernel index; -1 where padding or nothing lies. */
  static final class Lookup {
    private final int[] indices;
    private final int kernel;

    Lookup(int outputs, int kernel) {
      this.indices = new int[outputs * kernel];
      this.kernel = kernel;
    }

    int at(int output, int kernelIndex) {
      return indices[output * kernel + kernelIndex];
    }

    /** Returns true if the kernel meets neighboring inputs, none missing. */
    boolean contiguous(int output) {
      int first = at(output, 0);
      return first >= 0 && at(output, kernel - 1) == first + kernel - 1 && dense(output, first);
    }

    private boolean dense(int output, int first) {
      for (int k = 1; k < kernel; k++) {
        if (at(output, k) != first + k) {
          return false;
        }
      }
      return true;
    }
  }

  static WindowTable of(Window window, Shape in, Shape out) {
    Padding.Explicit pads = window.pads(in.height(), in.width());
    int kernelHeight = window.kernel().height();
    int kernelWidth = window.kernel().width();
    Lookup rows = new Lookup(out.height(), kernelHeight);
    Lookup columns = new Lookup(out.width(), kernelWidth);
    fill(rows, in.height(), window.strides().height(), window.dilation().height(), pads.top());
    fill(columns, in.width(), window.strides().width(), window.dilation().width(), pads.left());
    boolean every =
        window.kernel().area() == 1
            && in.height() == out.height()
            && in.width() == out.width()
            && pads.none();
    return new WindowTable(kernelHeight, kernelWidth, rows, columns, every);
  }

  static WindowTable of(Deconvolution op, Shape in, Shape out) {
    Window window = op.window();
    Padding.Explicit cut = op.cut();
    Lookup rows = new Lookup(out.height(), window.kernel().height());
    Lookup columns = new Lookup(out.width(), window.kernel().width());
    scatter(rows, in.height(), window.strides().height(), window.dilation().height(), cut.top());
    scatter(columns, in.width(), window.strides().width(), window.dilation().width(), cut.left());
    return new WindowTable(window.kernel().height(), window.kernel().width(), rows, columns, false);
  }

  private static void fill(Lookup lookup, int size, int stride, int dilation, int before) {
    for (int i = 0; i < lookup.indices.length; i++) {
      int input = i / lookup.kernel * stride + i % lookup.kernel * dilation - before;
      lookup.indices[i] = input < size ? Math.max(-1, input) : -1;
    }
  }

  private static void scatter(Lookup lookup, int size, int stride, int dilation, int before) {
    for (int i = 0; i < lookup.indices.length; i++) {
      int scaled = i / lookup.kernel + before - i % lookup.kernel * dilation;
      boolean meets = scaled >= 0 && scaled % stride == 0 && scaled / stride < size;
      lookup.indices[i] = meets ? scaled / stride : -1;
    }
  }
}
