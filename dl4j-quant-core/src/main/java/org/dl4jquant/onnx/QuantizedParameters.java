package org.dl4jquant.onnx;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * Integer parameters, each followed by DequantizeLinear.
 *
 * <p>Weights of up to 8 bits with one format per tensor or output channel are INT8 (or UINT8) with
 * a scale per output channel, or INT4 if asked for; others are computed in float: wider ones are
 * stored as INT32, from opset 21 INT16, those with a format per kernel slice as rows.
 *
 * <p>Runtimes that compute in integers take the bias codes to be on the grid of the products,
 * whatever scale they have. A bias that is not on that grid is added after the product instead.
 */
final class QuantizedParameters implements Parameters {
  private final GraphWriter writer;
  private final String node;
  private final Weighted op;
  private final QuantizedWeights weights;
  private final BiasCodes bias;
  private final DequantizedConstant constants;

  QuantizedParameters(
      GraphWriter writer,
      DequantizedConstant constants,
      String node,
      Weighted op,
      QuantizedWeights weights,
      ActivationFormat input) {
    this.writer = writer;
    this.constants = constants;
    this.node = node;
    this.op = op;
    this.weights = weights;
    this.bias = BiasCodes.of(weights, input);
  }

  private QuantizedTensor codes() {
    return weights.weight();
  }

  /** Returns true if weights like these are taken by integer kernels. */
  static boolean regular(QuantizedTensor weight) {
    return weight.bitWidth() <= Byte.SIZE && !perSlice(weight);
  }

  private static boolean perSlice(QuantizedTensor weight) {
    return weight.granularity() instanceof Granularity.PerChannel axes && axes.axes().size() > 1;
  }

  @Override
  public String weight(ParameterLayout layout) {
    int[] from = codes().codes();
    int[] arranged = IntStream.range(0, from.length).map(i -> from[layout.source(i)]).toArray();
    long[] shape = layout.weightShape().toArray();
    String name = writer.unique(node + "/weight");
    int bits = codes().bitWidth();
    boolean signed = codes().signed();
    if (!perSlice(codes())) {
      boolean perTensor = codes().formats().size() == 1;
      Step[] steps = codes().formats().stream().map(Step::of).toArray(Step[]::new);
      int axis = perTensor ? -1 : layout.outputAxis();
      if (codes().bitWidth() <= Byte.SIZE) {
        return constants.weight(arranged, bits, signed, shape, steps, axis, name);
      }
      String unshielded = writer.unique(name + "/unshielded");
      constants.weight(arranged, bits, signed, shape, steps, axis, unshielded);
      return writer.shield(unshielded, name);
    }
    int rows = codes().formats().size();
    int area = arranged.length / rows;
    Step[] steps =
        IntStream.range(0, rows)
            .mapToObj(row -> Step.of(codes().formats().get(layout.source(row * area) / area)))
            .toArray(Step[]::new);
    String slices = writer.unique(name + "/slices");
    String flat =
        constants.weight(
            arranged,
            bits,
            signed,
            new long[] {rows, area},
            steps,
            0,
            writer.unique(slices + "/unshielded"));
    writer.shield(flat, slices);
    return writer.node("Reshape", List.of(slices, writer.longs(name + "/shape", shape)), name);
  }

  private String biasIn(long[] shape) {
    Step[] steps = bias.steps().toArray(Step[]::new);
    boolean one = codes().formats().size() == 1 && Arrays.stream(steps).distinct().count() == 1;
    return constants.write(
        bias.codes().toArray(),
        DataType.INT32,
        shape,
        one ? new Step[] {steps[0]} : steps,
        one ? -1 : 0,
        writer.unique(node + "/bias"));
  }

  @Override
  public String bias(ParameterLayout layout) {
    return bias.attached() ? biasIn(layout.biasShape().toArray()) : GraphWriter.ABSENT;
  }

  @Override
  public String detachedBias(int rank) {
    return bias.attached()
        ? GraphWriter.ABSENT
        : biasIn(ParameterLayout.channelShape(op.outputChannels(), rank));
  }

  /** Returns the fractional lengths of the sums. */
  static int[] grid(QuantizedWeights weights) {
    return ((AccumulatorFormat.FixedPoint) weights.accumulator()).fractionalLengths().toArray();
  }

  /** Returns the fractional length of an output channel's products with one input format. */
  static int productLength(QuantizedWeights weights, int channel, FixedPointFormat input) {
    return input.fractionalLength()
        + ((FixedPointFormat) weights.sliceFormat(channel, 0)).fractionalLength();
  }
}
