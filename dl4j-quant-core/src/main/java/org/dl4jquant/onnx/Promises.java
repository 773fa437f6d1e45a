package org.dl4jquant.onnx;

import com.google.common.collect.ImmutableMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;

/**
 * Which codes a runtime that computes in float32 or int32 must get exactly as the integer network
 * does, and why others may differ.
 */
final class Promises {
  /** The sign and the bits of a float's significand. */
  private static final int EXACT_BITS = 25;

  private static final int LARGEST_EXPONENT = 100;

  private final QuantizedGraph quantized;
  private final NetworkGraph graph;
  private final ImmutableMap<String, Integer> bits;

  private Promises(QuantizedGraph quantized) {
    this.quantized = quantized;
    this.graph = quantized.graph();
    this.bits = IntegerNetwork.of(quantized).accumulatorBits();
  }

  /** Returns the nodes that promise nothing, each with the reason. */
  static ImmutableMap<String, String> missing(QuantizedGraph quantized) {
    Map<String, String> affine = new LinkedHashMap<>();
    boolean fixedPoint = true;
    for (Node node : quantized.graph().nodes()) {
      boolean own =
          quantized
              .format(node.name())
              .map(f -> f.formats().stream().allMatch(FixedPointFormat.class::isInstance))
              .orElse(true);
      fixedPoint &= own;
      if (!own && !(node.op() instanceof Input) && !node.op().keepsCodes()) {
        affine.put(node.name(), "its format is not a power-of-two grid");
      }
    }
    return fixedPoint ? new Promises(quantized).missing() : ImmutableMap.copyOf(affine);
  }

  private ImmutableMap<String, String> missing() {
    ImmutableMap.Builder<String, String> missing = ImmutableMap.builder();
    for (Node node : graph.nodes()) {
      reason(node).ifPresent(reason -> missing.put(node.name(), reason));
    }
    return missing.buildOrThrow();
  }

  private boolean coded(String node) {
    return quantized.carrier(node) == Carrier.CODES;
  }

  private Optional<String> reason(Node node) {
    boolean codes = coded(node.name());
    if (!codes && quantized.carrier(node.name()) != Carrier.SUMS) {
      return Optional.empty();
    }
    boolean input = node.op() instanceof Input;
    boolean moved = node.op().keepsCodes() && coded(node.input());
    if (codes && !moved && quantized.rounding().equals(Rounding.HALF_UP)) {
      return Optional.of("ties are rounded up, ONNX rounds them to even");
    }
    if (node.op() instanceof FloatFunction || node.op() instanceof Softmax) {
      return Optional.of("it is computed in float");
    }
    if (!input && node.inputs().stream().anyMatch(i -> quantized.carrier(i) == Carrier.FLOATS)) {
      return Optional.of("it is computed from floats");
    }
    int width = bits.getOrDefault(node.name(), 0);
    if (width > EXACT_BITS) {
      return Optional.of(
          "its sums take %d bits, a float holds %d exactly".formatted(width, EXACT_BITS));
    }
    return ofKind(node);
  }

  private Optional<String> ofKind(Node node) {
    if (node.op() instanceof Weighted op) {
      return quantized.weights(node.name()).flatMap(weights -> products(node, op, weights));
    }
    if (node.op() instanceof Activation activation) {
      return when(!activation.function().clips(), "its function is computed in float");
    }
    if (node.op() instanceof AveragePool pool) {
      boolean whole = pool.countsPadding() || pool.window().padding().equals(Padding.NONE);
      int area = pool.window().kernel().area();
      return when(
          !whole || Integer.bitCount(area) != 1, "its means are rounded to float, then to codes");
    }
    if (node.op() instanceof GlobalPool pool) {
      return global(node, pool);
    }
    return Optional.empty();
  }

  private Optional<String> global(Node node, GlobalPool pool) {
    if (pool.reduction() == GlobalPool.Reduction.MAX) {
      return Optional.empty();
    }
    Shape in = graph.shape(node.input());
    if (!in.known()) {
      return Optional.of("the number of positions is not known");
    }
    int positions = in.elements() / in.channels();
    int codeBits = quantized.format(node.input()).orElseThrow().bitWidth();
    boolean exact = ((long) positions << codeBits) < 1L << (EXACT_BITS - 1);
    boolean mean = pool.reduction() == GlobalPool.Reduction.AVERAGE;
    return when(
        !exact || (mean && Integer.bitCount(positions) != 1),
        "its sums or means are rounded to float, then to codes");
  }

  private Optional<String> products(Node node, Weighted op, QuantizedWeights weights) {
    int[] grid = QuantizedParameters.grid(weights);
    var inputs = quantized.format(node.input()).orElseThrow().ofChannels(op.inputChannels());
    int[] codes = weights.weight().codes();
    int area = codes.length / (op.outputChannels() * op.slices());
    for (int i = 0; i < codes.length; i++) {
      int channel = i / (area * op.slices());
      int slice = i / area % op.slices();
      if (codes[i] != 0) {
        int products =
            ((FixedPointFormat) inputs.get(op.inputChannel(channel, slice))).fractionalLength()
                + ((FixedPointFormat) weights.sliceFormat(channel, slice)).fractionalLength();
        if (products > grid[channel]) {
          return Optional.of("products are finer than the sum they are added to");
        }
        if (Math.abs(products) > LARGEST_EXPONENT) {
          return Optional.of("its values are near the ends of a float's range");
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> when(boolean holds, String reason) {
    return holds ? Optional.of(reason) : Optional.empty();
  }
}
