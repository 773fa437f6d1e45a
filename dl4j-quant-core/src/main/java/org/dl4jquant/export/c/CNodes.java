package org.dl4jquant.export.c;

import com.google.common.collect.ImmutableList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;

/** What the C source needs to know of the nodes, and where it keeps their values. */
final class CNodes {
  private static final int MAX_INT_BITS = 32;

  private final IntegerNetwork network;
  private final QuantizedGraph quantized;
  private final CText text;
  private final Map<String, String> buffers = new LinkedHashMap<>();

  CNodes(IntegerNetwork network, CText text) {
    this.network = network;
    this.quantized = network.graph();
    this.text = text;
  }

  QuantizedGraph quantized() {
    return quantized;
  }

  Shape shape(String node) {
    Shape shape = quantized.graph().shape(node);
    Checks.that(shape.known(), "shape of '" + node + "'", "be known", shape);
    return shape;
  }

  /** Returns the C name of the array that holds a node's codes. */
  String buffer(String node) {
    String name = buffers.get(node);
    Checks.that(name != null, "'" + node + "'", "be carried as codes", "floats");
    return String.valueOf(name);
  }

  void buffer(String node, String name) {
    buffers.put(node, name);
  }

  String newBuffer(String node) {
    String name = text.buffer(shape(node).elements());
    buffers.put(node, name);
    return name;
  }

  /** Returns the formats of a node's channels. */
  ImmutableList<FixedPointFormat> formats(String node) {
    ImmutableList.Builder<FixedPointFormat> formats = ImmutableList.builder();
    quantized
        .format(node)
        .orElseThrow(() -> Checks.violated("'" + node + "'", "be carried as codes", "floats"))
        .ofChannels(shape(node).channels())
        .forEach(format -> formats.add(fixedPoint(format)));
    return formats.build();
  }

  private static FixedPointFormat fixedPoint(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint) {
      return fixedPoint;
    }
    throw Checks.violated("format", "be fixed point", format);
  }

  /** Returns the node that the sums of {@code node} become codes of. */
  Node target(Node node) {
    boolean sums = quantized.carrier(node.name()) == Carrier.SUMS;
    return sums ? quantized.graph().consumers(node.name()).get(0) : node;
  }

  /** Returns the type that holds the sums of a node. */
  String sumType(Node node) {
    int bits = network.accumulatorBits().getOrDefault(node.name(), Long.SIZE);
    return bits <= MAX_INT_BITS ? "int32_t" : "int64_t";
  }

  /** Adds the shifts and limits with which sums become codes; returns the arguments after a sum. */
  String requantization(Node target, int[] fractionalLengths) {
    ScalarFunction clip =
        target.op() instanceof Activation activation
            ? activation.function()
            : ScalarFunction.identity();
    List<FixedPointFormat> to = formats(target.name());
    IntStream shifts =
        IntStream.range(0, to.size()).map(c -> fractionalLengths[c] - to.get(c).fractionalLength());
    String shift = text.array("shift", shifts);
    String low = text.array("low", limits(to, f -> code(f, clip.lowest())));
    String high = text.array("high", limits(to, f -> code(f, clip.highest())));
    return "%s[o], %s[o], %s[o]".formatted(shift, low, high);
  }

  private static LongStream limits(
      List<FixedPointFormat> formats, ToLongFunction<FixedPointFormat> limit) {
    return formats.stream().mapToLong(limit);
  }

  private long code(FixedPointFormat format, double value) {
    return format.quantize(value, quantized.rounding());
  }

  static int[] lengths(List<FixedPointFormat> formats) {
    return formats.stream().mapToInt(FixedPointFormat::fractionalLength).toArray();
  }

  static int[] grid(QuantizedWeights weights) {
    return ((AccumulatorFormat.FixedPoint) weights.accumulator()).fractionalLengths().toArray();
  }

  /** Returns the weights of a node, each shifted onto the grid of its sum. */
  long[] shiftedWeights(Node node, Weighted op, QuantizedWeights weights) {
    List<FixedPointFormat> inputs = formats(node.input());
    int[] grid = grid(weights);
    int[] codes = weights.weight().codes();
    int area = codes.length / (op.outputChannels() * op.slices());
    long[] shifted = new long[codes.length];
    for (int i = 0; i < codes.length; i++) {
      if (codes[i] != 0) {
        int output = i / area / op.slices();
        int slice = i / area % op.slices();
        FixedPointFormat input = inputs.get(op.inputChannel(output, slice));
        FixedPointFormat own = fixedPoint(weights.sliceFormat(output, slice));
        int shift = grid[output] - input.fractionalLength() - own.fractionalLength();
        Checks.that(
            shift >= 0,
            "sums of '" + node.name() + "'",
            "lie on a grid as fine as all their products",
            "2^" + -shift + " coarser");
        shifted[i] = (long) codes[i] << shift;
      }
    }
    return shifted;
  }
}
