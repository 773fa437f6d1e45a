package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Window;

/**
 * A window over a value of shape {@code [C, T]} or {@code [C, H, W]}, in ONNX's terms. A window on
 * a sequence that has a height is moved over an image of height 1.
 */
record Windows(Window window, Shape in, boolean asImage) {
  static Windows of(Window window, Shape in) {
    boolean flat =
        in.rank() == 2
            && window.kernel().height() == 1
            && !(window.padding() instanceof Padding.Explicit p && p.top() + p.bottom() > 0);
    return new Windows(window, in, in.rank() == 2 && !flat);
  }

  /** Returns true if the window moves along one axis. */
  boolean sequence() {
    return in.rank() == 2 && !asImage;
  }

  long[] extent(Extent extent) {
    return sequence() ? new long[] {extent.width()} : new long[] {extent.height(), extent.width()};
  }

  long[] weightShape(int outputs, int inputs) {
    Extent kernel = window.kernel();
    return sequence()
        ? new long[] {outputs, inputs, kernel.width()}
        : new long[] {outputs, inputs, kernel.height(), kernel.width()};
  }

  /** Returns true if the zeros depend on a size that only the run time tells. */
  boolean padsLater() {
    return window.padding().equals(Padding.SAME)
        && ((in.height() == Shape.UNKNOWN && window.strides().height() > 1)
            || (in.width() == Shape.UNKNOWN && window.strides().width() > 1));
  }

  /** Returns true if the zeros must be counted at run time: {@code auto_pad} knows no dilation. */
  boolean countsPadsLater() {
    return padsLater() && dilated();
  }

  /** Returns {@code value} with the zeros, or another constant, that its sizes ask for. */
  String padded(GraphWriter writer, String value, float constant) {
    String shape = writer.node("Shape", List.of(value), writer.unique(value + "/sizes"));
    List<String> before = new ArrayList<>();
    List<String> after = new ArrayList<>();
    long[] strides = extent(window.strides());
    long[] reaches =
        sequence()
            ? new long[] {window.reachWidth()}
            : new long[] {window.reachHeight(), window.reachWidth()};
    for (int i = 0; i < strides.length; i++) {
      Whole whole = new Whole(writer, value + "/pad" + i);
      String size =
          writer.node(
              "Gather",
              List.of(shape, writer.longs(value + "/axis", 2 + i)),
              writer.unique(value + "/size"));
      String steps = whole.with("Div", whole.with("Add", size, strides[i] - 1), strides[i]);
      String last = whole.with("Mul", whole.with("Sub", steps, 1), strides[i]);
      String missing = whole.of("Sub", whole.with("Add", last, reaches[i]), size);
      String all = whole.with("Max", missing, 0);
      before.add(whole.with("Div", all, 2));
      after.add(whole.of("Sub", all, before.get(i)));
    }
    List<String> pads = new ArrayList<>();
    pads.add(writer.longs(value + "/none", 0, 0));
    pads.addAll(before);
    pads.add(pads.get(0));
    pads.addAll(after);
    String amounts =
        writer.node(
            "Concat", pads, writer.unique(value + "/pads"), new Attributes().integer("axis", 0));
    String filling = writer.scalar(value + "/constant", constant);
    return writer.node("Pad", List.of(value, amounts, filling), writer.unique(value + "/padded"));
  }

  /** Arithmetic of sizes at run time. */
  private record Whole(GraphWriter writer, String name) {
    String of(String type, String one, String other) {
      return writer.node(type, List.of(one, other), writer.unique(name + "/" + type));
    }

    String with(String type, String one, long other) {
      return of(type, one, writer.longs(name + "/number", other));
    }
  }

  /** Returns the zeros on each side; with stride 1 they are the same for every size. */
  Padding.Explicit pads() {
    return window.pads(Math.max(1, in.height()), Math.max(1, in.width()));
  }

  long[] pads(Padding.Explicit pads) {
    return sequence()
        ? new long[] {pads.left(), pads.right()}
        : new long[] {pads.top(), pads.left(), pads.bottom(), pads.right()};
  }

  /** Returns kernel, strides and padding; dilation only if there is some. */
  Attributes attributes() {
    Attributes attributes =
        new Attributes()
            .integers("kernel_shape", extent(window.kernel()))
            .integers("strides", extent(window.strides()));
    if (dilated()) {
      attributes.integers("dilations", extent(window.dilation()));
    }
    if (padsLater()) {
      attributes.text("auto_pad", "SAME_UPPER");
    } else {
      attributes.integers("pads", pads(pads()));
    }
    return attributes;
  }

  boolean dilated() {
    return !window.dilation().equals(Extent.ONE);
  }

  /** Returns true if there is as much padding on a side as kernel elements: runtimes refuse it. */
  boolean padsBeyondKernel() {
    if (padsLater()) {
      return false;
    }
    Padding.Explicit pads = pads();
    Extent kernel = window.kernel();
    return (Math.max(pads.top(), pads.bottom()) >= kernel.height() && !sequence())
        || Math.max(pads.left(), pads.right()) >= kernel.width();
  }

  /** Returns true if opposite sides may have different numbers of zeros. */
  boolean padsUnevenly() {
    Padding.Explicit pads = pads();
    return padsLater() || pads.top() != pads.bottom() || pads.left() != pads.right();
  }

  Windows withoutPadding() {
    return new Windows(
        new Window(window.kernel(), window.strides(), window.dilation(), Padding.NONE),
        in,
        asImage);
  }

  /** Returns true if some window may see nothing but padding. */
  boolean mayBeEmpty() {
    if (!dilated() || padsLater()) {
      return false;
    }
    Padding.Explicit pads = pads();
    return empty(
            in.rank() == 2 ? 1 : in.height(),
            window.kernel().height(),
            window.strides().height(),
            window.dilation().height(),
            pads.top(),
            pads.bottom())
        || empty(
            in.width(),
            window.kernel().width(),
            window.strides().width(),
            window.dilation().width(),
            pads.left(),
            pads.right());
  }

  private static boolean empty(
      int size, int kernel, int stride, int dilation, int before, int after) {
    if (before + after == 0) {
      return false;
    }
    if (size == Shape.UNKNOWN) {
      return dilation > 1;
    }
    int reach = (kernel - 1) * dilation + 1;
    for (int first = -before; first + reach <= size + after; first += stride) {
      boolean met = false;
      for (int k = 0; k < kernel; k++) {
        int at = first + k * dilation;
        met |= at >= 0 && at < size;
      }
      if (!met) {
        return true;
      }
    }
    return false;
  }

  /** Returns the name of {@code value} as ONNX moves the window over it. */
  String enter(GraphWriter writer, String value) {
    return asImage ? squeezing(writer, "Unsqueeze", value, writer.unique(value + "/image")) : value;
  }

  /** Gives {@code value}, as ONNX computed it, the name {@code result}. */
  String leave(GraphWriter writer, String value, String result) {
    return asImage ? squeezing(writer, "Squeeze", value, result) : value;
  }

  private static String squeezing(GraphWriter writer, String type, String from, String to) {
    return writer.node(type, List.of(from, writer.longs(to + "/axes", 2)), to);
  }
}
