package org.dl4jquant.onnxlayers;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import org.dl4jquant.dl4j.FloatPart;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnx.FloatFunctionExport.Codes;
import org.dl4jquant.onnx.FloatFunctionExport.Target;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/** The parameters of one layer, written in the order that an operation wants. */
record Constants(
    FloatPart.OfLayer layer, ImmutableMap<String, QuantizedTensor> codes, Target target) {
  boolean has(String key) {
    return layer.parameters().containsKey(key);
  }

  Tensor parameter(String key) {
    Tensor parameter = layer.parameters().get(key);
    if (parameter == null) {
      throw Checks.violated("layer", "have a parameter " + key, layer.parameters().keySet());
    }
    return parameter;
  }

  /** Writes a parameter as floats; {@code source} tells where element i lies in DL4J's order. */
  String floats(String key, IntUnaryOperator source, long... shape) {
    float[] values = parameter(key).values();
    float[] arranged = new float[length(shape)];
    for (int i = 0; i < arranged.length; i++) {
      arranged[i] = values[source.applyAsInt(i)];
    }
    return target.floats(key, arranged, shape);
  }

  /** Writes a parameter as floats, as it lies. */
  String floats(String key, long... shape) {
    return floats(key, IntUnaryOperator.identity(), shape);
  }

  /**
   * Writes a weight, as codes if there are some whose formats can be told along one axis.
   *
   * @param axis of {@code shape} along which the output channels lie
   * @param source where element i of the result lies in DL4J's row-major order
   */
  String weight(String key, int axis, IntUnaryOperator source, long... shape) {
    QuantizedTensor quantized = codes.get(layer.name() + "/" + key);
    Optional<ImmutableList<NumberFormat>> formats =
        quantized == null ? Optional.empty() : along(quantized, axis, source, shape);
    if (quantized == null || formats.isEmpty()) {
      return floats(key, source, shape);
    }
    int[] from = quantized.codes();
    int[] values = new int[length(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = from[source.applyAsInt(i)];
    }
    return target.weight(
        key, new Codes(ImmutableIntArray.copyOf(values), formats.get(), axis), shape);
  }

  private static Optional<ImmutableList<NumberFormat>> along(
      QuantizedTensor quantized, int axis, IntUnaryOperator source, long... shape) {
    if (quantized.formats().size() == 1) {
      return Optional.of(quantized.formats());
    }
    int[] channels = quantized.granularity().channelOfEach(quantized.shape());
    int inner = 1;
    for (int i = axis + 1; i < shape.length; i++) {
      inner = Math.multiplyExact(inner, Math.toIntExact(shape[i]));
    }
    int size = Math.toIntExact(shape[axis]);
    int[] channelAt = new int[size];
    boolean[] seen = new boolean[size];
    for (int i = 0; i < length(shape); i++) {
      int at = i / inner % size;
      int channel = channels[source.applyAsInt(i)];
      if (seen[at] && channelAt[at] != channel) {
        return Optional.empty();
      }
      seen[at] = true;
      channelAt[at] = channel;
    }
    ImmutableList.Builder<NumberFormat> formats = ImmutableList.builder();
    for (int channel : channelAt) {
      formats.add(quantized.formats().get(channel));
    }
    return Optional.of(formats.build());
  }

  private static int length(long... shape) {
    long length = 1;
    for (long size : shape) {
      length = Math.multiplyExact(length, size);
    }
    return Math.toIntExact(length);
  }
}
