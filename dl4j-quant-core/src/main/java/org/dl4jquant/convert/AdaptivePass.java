package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.execute.InputPatches;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Rounds the weights of a graph layer by layer, each with what the layers before it, already
 * rounded, make of the examples. Everything is computed twice, exactly and with quantized weights
 * and values; a value is forgotten after its last use.
 */
final class AdaptivePass {
  private static final long MOST_BYTES = 256L << 20; // of all values of all examples
  private static final int FEWEST = 8;

  private final NetworkGraph exact;
  private final NetworkGraph rounded;
  private final Map<String, ActivationFormat> formats;
  private final Function<Node, Tensor> otherBiases;
  private final Predicate<Node> corrects;
  private final Map<String, AdaptiveRounding.Result> results = new LinkedHashMap<>();

  /**
   * Prepares a pass.
   *
   * @param exact the float graph
   * @param rounded the same with weights that are rounded to the nearest code
   * @param formats of the values that are to be codes
   * @param otherBiases of nodes that this pass does not round
   * @param corrects whether the bias of a node may change
   */
  AdaptivePass(
      NetworkGraph exact,
      NetworkGraph rounded,
      Map<String, ActivationFormat> formats,
      Function<Node, Tensor> otherBiases,
      Predicate<Node> corrects) {
    this.exact = exact;
    this.rounded = rounded;
    this.formats = formats;
    this.otherBiases = otherBiases;
    this.corrects = corrects;
  }

  /**
   * Returns the rounded layers by node.
   *
   * @param nearest the codes of the nodes that are to be rounded anew
   */
  ImmutableMap<String, AdaptiveRounding.Result> run(
      CalibrationExamples examples, Map<String, QuantizedTensor> nearest) {
    CalibrationExamples some = examples.first(affordable(examples));
    Map<String, Tensor> wanted = new HashMap<>();
    Map<String, Tensor> seen = new HashMap<>();
    Map<String, Integer> uses = new HashMap<>();
    for (Node node : exact.nodes()) {
      node.inputs().forEach(input -> uses.merge(input, 1, Integer::sum));
    }
    for (Node node : exact.nodes()) {
      if (node.inputs().isEmpty()) {
        Tensor value = Objects.requireNonNull(some.inputs().get(node.name()));
        wanted.put(node.name(), value);
        seen.put(node.name(), quantized(node, value));
      } else if (node.op() instanceof Weighted op && !(op instanceof ChannelAffine)) {
        weighted(node, op, nearest.get(node.name()), wanted, seen);
      } else {
        wanted.put(node.name(), ExampleValues.of(exact, node, wanted));
        seen.put(node.name(), quantized(node, ExampleValues.of(rounded, node, seen)));
      }
      for (String input : node.inputs()) {
        if (uses.merge(input, -1, Integer::sum) == 0) {
          wanted.remove(input);
          seen.remove(input);
        }
      }
    }
    return ImmutableMap.copyOf(results);
  }

  private int affordable(CalibrationExamples examples) {
    Map<String, Shape> shapes = new HashMap<>();
    examples.inputs().forEach((name, value) -> shapes.put(name, Shape.ofBatch(value.shape())));
    long bytes =
        exact.shapes(shapes).values().stream()
            .mapToLong(shape -> 2L * Float.BYTES * Math.max(1, shape.elements()))
            .sum();
    return (int) Math.max(FEWEST, MOST_BYTES / bytes);
  }

  private Tensor quantized(Node node, Tensor value) {
    ActivationFormat format = formats.get(node.name());
    return format == null || !finite(value)
        ? value
        : QuantizedTensor.quantize(
                value, format.granularity(), format.formats(), Rounding.HALF_EVEN)
            .dequantize();
  }

  /** A network may give NaN or infinite values for an example; there is nothing to learn then. */
  private static boolean finite(Tensor value) {
    for (float element : value.values()) {
      if (!Float.isFinite(element)) {
        return false;
      }
    }
    return true;
  }

  private void weighted(
      Node node,
      Weighted op,
      @Nullable QuantizedTensor nearest,
      Map<String, Tensor> wanted,
      Map<String, Tensor> seen) {
    Tensor exactInput = Objects.requireNonNull(wanted.get(node.input()));
    Tensor input = Objects.requireNonNull(seen.get(node.input()));
    Shape in = Shape.ofBatch(input.shape());
    Shape out = op.outputShape(ImmutableList.of(in));
    InputPatches patches = InputPatches.of(op, in, out);
    Weighted own;
    if (nearest == null || !finite(exactInput) || !finite(input)) {
      Weighted before = (Weighted) rounded.node(node.name()).op();
      own = before.withParameters(before.weight(), otherBiases.apply(node));
    } else {
      AdaptiveRounding.Result result =
          new AdaptiveRounding(op, nearest, corrects.test(node)).round(patches, exactInput, input);
      results.put(node.name(), result);
      own = op.withParameters(result.weight().dequantize(), result.bias());
    }
    wanted.put(node.name(), ExampleValues.sums(op, patches, exactInput, out));
    seen.put(node.name(), quantized(node, ExampleValues.sums(own, patches, input, out)));
  }
}
