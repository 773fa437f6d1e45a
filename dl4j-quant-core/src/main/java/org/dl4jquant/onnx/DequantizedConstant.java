package org.dl4jquant.onnx;

import java.util.Arrays;
import java.util.List;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.internal.Checks;

/** Integer constants followed by DequantizeLinear, which makes floats of them. */
final class DequantizedConstant {
  private static final int FOUR_BITS = 4;

  private final GraphWriter writer;
  private final boolean fourBits;

  /**
   * A writer of such constants.
   *
   * @param fourBits whether codes of up to 4 bits are stored as INT4
   */
  DequantizedConstant(GraphWriter writer, boolean fourBits) {
    this.writer = writer;
    this.fourBits = fourBits;
  }

  /** Returns the type that holds codes of a weight: the narrowest that DequantizeLinear takes. */
  static DataType type(int bitWidth, boolean signed, int opset) {
    if (bitWidth <= Byte.SIZE) {
      return signed ? DataType.INT8 : DataType.UINT8;
    }
    if (bitWidth <= Short.SIZE && opset >= Opset.SIXTEEN_BITS) {
      return signed ? DataType.INT16 : DataType.UINT16;
    }
    return DataType.INT32;
  }

  /**
   * Writes the weight codes, scales and zero points; returns {@code name}.
   *
   * @param axis along which the steps run; -1 for one step
   * @param name of the float tensor, already taken
   */
  String weight(
      int[] codes,
      int bitWidth,
      boolean signed,
      long[] shape,
      Step[] steps,
      int axis,
      String name) {
    boolean zero = Arrays.stream(steps).allMatch(step -> step.zeroPoint() == 0);
    if (fourBits && signed && bitWidth <= FOUR_BITS && zero) {
      String stored = writer.nibbles(name + "/codes", codes, shape);
      return dequantize(List.of(stored, scales(steps, axis, name)), axis, name);
    }
    return write(codes, type(bitWidth, signed, writer.opset()), shape, steps, axis, name);
  }

  /** Writes codes of this type, scales and zero points; returns {@code name}. */
  String write(int[] codes, DataType type, long[] shape, Step[] steps, int axis, String name) {
    String stored = writer.codes(name + "/codes", type, codes, shape);
    String scale = scales(steps, axis, name);
    int[] zeroPoints = Arrays.stream(steps).mapToInt(s -> Math.toIntExact(s.zeroPoint())).toArray();
    if (type != DataType.INT32) {
      String zeroPoint =
          writer.codes(name + "/zeroPoint", type, zeroPoints, shape(steps.length, axis));
      return dequantize(List.of(stored, scale, zeroPoint), axis, name);
    }
    Checks.that(
        Arrays.stream(zeroPoints).allMatch(z -> z == 0),
        "zeroPoint of more than 8 bits",
        "be 0",
        Arrays.toString(zeroPoints));
    return dequantize(List.of(stored, scale), axis, name);
  }

  private String dequantize(List<String> inputs, int axis, String name) {
    return writer.node(
        "DequantizeLinear",
        inputs,
        name,
        axis < 0 ? Attributes.NONE : new Attributes().integer("axis", axis));
  }

  private String scales(Step[] steps, int axis, String name) {
    float[] scales = new float[steps.length];
    for (int i = 0; i < steps.length; i++) {
      scales[i] = steps[i].scale();
    }
    return writer.floats(name + "/scale", scales, shape(steps.length, axis));
  }

  private static long[] shape(int steps, int axis) {
    return axis < 0 ? new long[0] : new long[] {steps};
  }
}
