package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.dl4j.RecurrentCells;
import org.dl4jquant.execute.InputPatches;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

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
  private final Map<String, AdaptiveRounding.Result> sums = new LinkedHashMap<>();
  private final Map<String, ImmutableMap<String, QuantizedTensor>> cells = new LinkedHashMap<>();

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

  /** The codes of weights as they are rounded otherwise; nothing for what is not to be rounded. */
  interface Nearest {
    /** Returns the codes of a node that sums, of the shape of its operation's weight. */
    Optional<QuantizedTensor> of(Node node);

    /** Returns the codes of one weight of a recurrent layer, in DL4J's shape. */
    Optional<QuantizedTensor> of(String layer, String key);
  }

  /**
   * What was rounded.
   *
   * @param sums by node
   * @param cells the weights of recurrent layers by layer, then by key
   */
  record Results(
      ImmutableMap<String, AdaptiveRounding.Result> sums,
      ImmutableMap<String, ImmutableMap<String, QuantizedTensor>> cells) {
    boolean isEmpty() {
      return sums.isEmpty() && cells.isEmpty();
    }
  }

  /** Rounds. */
  Results run(CalibrationExamples examples, Nearest nearest) {
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
        weighted(node, op, nearest.of(node), wanted, seen);
      } else {
        wanted.put(node.name(), ExampleValues.of(exact, node, wanted));
        Tensor value =
            recurrent(node, nearest, wanted, seen)
                .orElseGet(() -> ExampleValues.of(rounded, node, seen));
        seen.put(node.name(), quantized(node, value));
      }
      for (String input : node.inputs()) {
        if (uses.merge(input, -1, Integer::sum) == 0) {
          wanted.remove(input);
          seen.remove(input);
        }
      }
    }
    return new Results(ImmutableMap.copyOf(sums), ImmutableMap.copyOf(cells));
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
        : format.fakeQuantize(value, Rounding.HALF_EVEN);
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

  /** Rounds a recurrent layer; returns what it gives then, or nothing if it is none. */
  private Optional<Tensor> recurrent(
      Node node, Nearest nearest, Map<String, Tensor> wanted, Map<String, Tensor> seen) {
    Optional<RecurrentCells> cellsOf = cells(exact, node);
    if (cellsOf.isEmpty()) {
      return Optional.empty();
    }
    Tensor exactInput = Objects.requireNonNull(wanted.get(node.input()));
    Tensor input = Objects.requireNonNull(seen.get(node.input()));
    if (!finite(exactInput) || !finite(input)) {
      return Optional.empty();
    }
    RecurrentRounding rounding =
        new RecurrentRounding(
            cellsOf.get(),
            cells(rounded, node).orElseThrow(),
            key -> nearest.of(node.layer(), key));
    ImmutableMap<String, QuantizedTensor> codes = rounding.round(exactInput, input);
    if (codes.isEmpty()) {
      return Optional.empty();
    }
    cells.put(node.layer(), codes);
    return Optional.of(rounding.rounded().output(input));
  }

  private static Optional<RecurrentCells> cells(NetworkGraph graph, Node node) {
    return graph.node(node.name()).op() instanceof FloatFunction function
        ? RecurrentCells.of(function)
        : Optional.empty();
  }

  private void weighted(
      Node node,
      Weighted op,
      Optional<QuantizedTensor> nearest,
      Map<String, Tensor> wanted,
      Map<String, Tensor> seen) {
    Tensor exactInput = Objects.requireNonNull(wanted.get(node.input()));
    Tensor input = Objects.requireNonNull(seen.get(node.input()));
    Shape in = Shape.ofBatch(input.shape());
    Shape out = op.outputShape(ImmutableList.of(in));
    InputPatches patches = InputPatches.of(op, in, out);
    Weighted own;
    if (nearest.isEmpty() || !finite(exactInput) || !finite(input)) {
      Weighted before = (Weighted) rounded.node(node.name()).op();
      own = before.withParameters(before.weight(), otherBiases.apply(node));
    } else {
      AdaptiveRounding.Result result =
          new AdaptiveRounding(op, nearest.get(), corrects.test(node))
              .round(patches, exactInput, input);
      sums.put(node.name(), result);
      own = op.withParameters(result.weight().dequantize(), result.bias());
    }
    wanted.put(node.name(), ExampleValues.sums(op, patches, exactInput, out));
    seen.put(node.name(), quantized(node, ExampleValues.sums(own, patches, input, out)));
  }
}
