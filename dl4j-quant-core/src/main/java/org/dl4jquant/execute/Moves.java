package org.dl4jquant.execute;

import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Shape;

/**
 * Where the elements come from when an operation only moves them; shared with the float network.
 */
final class Moves {
  private Moves() {}

  /** The same elements in the same order. */
  static int[] same(Shape in, Shape out) {
    int[] sources = new int[out.elements()];
    for (int i = 0; i < sources.length; i++) {
      sources[i] = i;
    }
    return sources;
  }

  /** A frame around, or off, each channel: sign 1 pads with zeros, -1 crops. */
  static int[] framed(Shape in, Shape out, Padding.Explicit amounts, int sign) {
    int[] sources = new int[out.elements()];
    for (int i = 0; i < sources.length; i++) {
      int x = i % out.width() - sign * amounts.left();
      int y = i / out.width() % out.height() - sign * amounts.top();
      int channel = i / (out.width() * out.height());
      boolean inside = x >= 0 && y >= 0 && x < in.width() && y < in.height();
      sources[i] = inside ? (channel * in.height() + y) * in.width() + x : -1;
    }
    return sources;
  }

  /** Repeats rows and columns. */
  static int[] upsampled(Shape in, Shape out, Extent factor) {
    int[] sources = new int[out.elements()];
    for (int i = 0; i < sources.length; i++) {
      int x = i % out.width() / factor.width();
      int y = i / out.width() % out.height() / factor.height();
      int channel = i / (out.width() * out.height());
      sources[i] = (channel * in.height() + y) * in.width() + x;
    }
    return sources;
  }

  /** Another order of the axes. */
  static int[] permuted(Shape in, Shape out, Permute permute) {
    int[] strides = new int[in.rank()];
    int stride = 1;
    for (int axis = in.rank() - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= in.size(axis);
    }
    int[] sources = new int[out.elements()];
    for (int i = 0; i < sources.length; i++) {
      int rest = i;
      for (int axis = out.rank() - 1; axis >= 0; axis--) {
        sources[i] += rest % out.size(axis) * strides[permute.axes().get(axis)];
        rest /= out.size(axis);
      }
    }
    return sources;
  }
}
