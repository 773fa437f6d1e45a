package org.dl4jquant.onnxlayers;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.dl4jquant.onnx.FloatFunctionExport.Target;

/** Short forms of ONNX operations; each returns the name of its result. */
record Pen(Target target) {
  private static final int AXES_ARE_INPUTS = 18;

  String node(String type, String... inputs) {
    return target.node(type, List.of(inputs), Map.of());
  }

  String scalar(double value) {
    return target.floats("constant", new float[] {(float) value}, 1);
  }

  String add(String x, double y) {
    return node("Add", x, scalar(y));
  }

  String multiply(String x, double y) {
    return node("Mul", x, scalar(y));
  }

  String transposed(String x, long... order) {
    return target.node("Transpose", List.of(x), Map.of("perm", order));
  }

  String squeezed(String x, long axis) {
    return node("Squeeze", x, target.longs("axes", axis));
  }

  String unsqueezed(String x, long axis) {
    return node("Unsqueeze", x, target.longs("axes", axis));
  }

  /** Returns the last element along an axis, which vanishes. */
  String last(String x, long axis) {
    String index = target.longs("last", -1);
    return squeezed(target.node("Gather", List.of(x, index), Map.of("axis", axis)), axis);
  }

  /** Returns a reduction that keeps the axes, which later opsets take as an input. */
  String reduced(String type, String x, long... axes) {
    return target.opset() >= AXES_ARE_INPUTS
        ? target.node(type, List.of(x, target.longs("axes", axes)), Map.of("keepdims", 1L))
        : target.node(type, List.of(x), Map.of("axes", axes, "keepdims", 1L));
  }

  String concatenated(long axis, String... inputs) {
    return target.node("Concat", Arrays.asList(inputs), Map.of("axis", axis));
  }
}
