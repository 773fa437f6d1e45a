package org.dl4jquant.execute;

import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Window;

/**
 * Which input row (column) meets which kernel row (column) at which output row (column).
 *
 * @param everyPosition true if every output position meets the input at the same position only
 */
record WindowTable(Lookup rows, Lookup columns, boolean everyPosition) {
  int kernelHeight() {
    return rows.kernel();
  }

  int kernelWidth() {
    return columns.kernel();
  }

  static WindowTable of(Window window, Shape in, Shape out) {
    Padding.Explicit pads = window.pads(in.height(), in.width());
    Lookup rows =
        slide(
            out.height(),
            in.height(),
            window.kernel().height(),
            window.strides().height(),
            window.dilation().height(),
            pads.top());
    Lookup columns =
        slide(
            out.width(),
            in.width(),
            window.kernel().width(),
            window.strides().width(),
            window.dilation().width(),
            pads.left());
    boolean every =
        window.kernel().area() == 1
            && in.height() == out.height()
            && in.width() == out.width()
            && pads.none();
    return new WindowTable(rows, columns, every);
  }

  static WindowTable of(Deconvolution op, Shape in, Shape out) {
    Window window = op.window();
    Padding.Explicit cut = op.cut();
    Lookup rows =
        scatter(
            out.height(),
            in.height(),
            window.kernel().height(),
            window.strides().height(),
            window.dilation().height(),
            cut.top());
    Lookup columns =
        scatter(
            out.width(),
            in.width(),
            window.kernel().width(),
            window.strides().width(),
            window.dilation().width(),
            cut.left());
    return new WindowTable(rows, columns, false);
  }

  private static Lookup slide(
      int outputs, int size, int kernel, int stride, int dilation, int before) {
    return new Lookup(
        outputs,
        kernel,
        (i, k) -> {
          int input = i * stride + k * dilation - before;
          return input < size ? Math.max(-1, input) : -1;
        });
  }

  private static Lookup scatter(
      int outputs, int size, int kernel, int stride, int dilation, int before) {
    return new Lookup(
        outputs,
        kernel,
        (i, k) -> {
          int scaled = i + before - k * dilation;
          boolean meets = scaled >= 0 && scaled % stride == 0 && scaled / stride < size;
          return meets ? scaled / stride : -1;
        });
  }
}
