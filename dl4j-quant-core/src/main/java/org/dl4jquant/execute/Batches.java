package org.dl4jquant.execute;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/** Splits batches into parts and joins what comes out of them. */
final class Batches {
  private Batches() {}

  /** The codes of a part, channels first. */
  static final class Codes {
    private final int[] codes;
    private final int[] shape;

    Codes(int[] codes, int[] shape) {
      this.codes = codes;
      this.shape = shape;
    }
  }

  /** Returns the number of examples, which all inputs must share. */
  static int size(Map<String, Tensor> inputs) {
    List<Integer> sizes = inputs.values().stream().map(t -> t.size(0)).distinct().toList();
    Checks.that(sizes.size() == 1, "inputs", "share one batch size", sizes);
    Checks.that(sizes.get(0) >= 1, "batch", "hold at least one example", sizes.get(0));
    return sizes.get(0);
  }

  static Map<String, Tensor> slice(Map<String, Tensor> inputs, int from, int to) {
    return ImmutableMap.copyOf(Maps.transformValues(inputs, t -> slice(t, from, to)));
  }

  private static Tensor slice(Tensor tensor, int from, int to) {
    if (from == 0 && to == tensor.size(0)) {
      return tensor;
    }
    int[] shape = tensor.shape();
    int each = tensor.length() / shape[0];
    shape[0] = to - from;
    return Tensor.of(Arrays.copyOfRange(tensor.values(), from * each, to * each), shape);
  }

  static Tensor join(List<Tensor> parts) {
    int[] shape = joined(parts.stream().map(Tensor::shape).toList());
    Tensor whole = Tensor.zeros(shape);
    int to = 0;
    for (Tensor part : parts) {
      System.arraycopy(part.values(), 0, whole.values(), to, part.length());
      to += part.length();
    }
    return whole;
  }

  static QuantizedTensor join(List<Codes> parts, ActivationFormat format) {
    int[] shape = joined(parts.stream().map(part -> part.shape).toList());
    int[] whole = new int[Math.toIntExact(Tensor.elements(shape))];
    int to = 0;
    for (Codes part : parts) {
      System.arraycopy(part.codes, 0, whole, to, part.codes.length);
      to += part.codes.length;
    }
    return QuantizedTensor.of(whole, format.granularity(), format.formats(), shape);
  }

  private static int[] joined(List<int[]> shapes) {
    int[] shape = shapes.get(0).clone();
    for (int[] other : shapes.subList(1, shapes.size())) {
      int[] alike = other.clone();
      alike[0] = shapes.get(0)[0];
      Checks.that(
          Arrays.equals(alike, shapes.get(0)),
          "shapes of the parts of a batch",
          "agree",
          Arrays.toString(other));
      shape[0] += other[0];
    }
    return shape;
  }

  /** Returns a node's codes, to which the zero point is added again. */
  static Codes channelsFirst(Frame frame, String node, ActivationFormat format) {
    CodeArrays codes = frame.codes(node);
    int each = codes.shape().elements();
    int[] moved = new int[Math.multiplyExact(frame.batch(), each)];
    for (int e = 0; e < frame.batch(); e++) {
      codes.read(e, moved, e * each);
    }
    int zeroPoint = (int) UniformFormat.of(format.formats().get(0)).zeroPoint();
    for (int i = 0; zeroPoint != 0 && i < moved.length; i++) {
      moved[i] += zeroPoint;
    }
    return new Codes(moved, codes.shape().withBatch(frame.batch()));
  }
}
