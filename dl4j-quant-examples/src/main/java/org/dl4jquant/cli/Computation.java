package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.convert.Conversion;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightConversion;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.BinnedTensorAccumulator;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.WeightStrategy;

/**
 * How a converted network computes each of its layers: in integers, or in float and why.
 *
 * @param layers a clause by the name of the layer, in the network's order
 * @param vertices the same of the vertices of a graph that are no layers, in topological order
 */
record Computation(ImmutableMap<String, String> layers, ImmutableMap<String, String> vertices) {
  private static final String INTEGER = "integer";
  private static final String FLOAT = "float: ";
  private static final String NOTHING = "nothing to compute";
  private static final String WEIGHTS_ONLY = "quantized weights, computed in float";
  private static final int BITS = 8;

  /** Describes a model that was converted. */
  static Computation of(QuantizedModel model) {
    if (model.activations().isEmpty()) {
      return new Computation(
          model.layers().stream()
              .collect(
                  ImmutableMap.toImmutableMap(QuantizedLayer::name, Computation::withoutValues)),
          ImmutableMap.of());
    }
    return new Reader(model).computation();
  }

  /**
   * Tells what conversion with calibration makes of a network.
   *
   * @throws IllegalArgumentException if it cannot convert the network; the message says why
   */
  static Computation expected(Model model) {
    Dl4jNetwork network = Dl4jNetwork.of(model);
    Conversion quick =
        new Conversion(
            new WeightConversion(WeightStrategy.maxAbs(), "max-abs", Rounding.HALF_EVEN),
            FormatStrategy.maxAbs(),
            LayerPrecision.DEFAULT_BIAS_BITS,
            false,
            Target.INTEGER,
            0,
            Optional.empty(),
            Scheme.FIXED_POINT,
            Optional.empty());
    TensorProfile any = anyProfile();
    Computation folded =
        of(
            quick.convert(
                network,
                PrecisionPlan.uniform(LayerPrecision.of(BITS, BITS)),
                node -> Optional.of(any)));
    ImmutableMap<String, String> gone = FoldedNetwork.of(network).folded();
    ImmutableMap.Builder<String, String> layers = ImmutableMap.builder();
    network
        .layers()
        .forEach(
            layer ->
                layers.put(
                    layer.name(),
                    gone.containsKey(layer.name())
                        ? "folded into " + gone.get(layer.name())
                        : folded.layers().getOrDefault(layer.name(), NOTHING)));
    return new Computation(layers.buildOrThrow(), folded.vertices());
  }

  private static TensorProfile anyProfile() {
    BinnedTensorAccumulator accumulator = BinnedTensorAccumulator.create(1);
    accumulator.acceptBatch(new float[] {-1, 1}, 2, 1);
    return accumulator.snapshot();
  }

  private static String withoutValues(QuantizedLayer layer) {
    return layer.parameters().stream().anyMatch(parameter -> parameter.codes().isPresent())
        ? WEIGHTS_ONLY
        : layer.floatReason().map(reason -> FLOAT + reason).orElse("float");
  }

  /** Returns what is not computed in integers alone, a line each. */
  ImmutableList<String> exceptions() {
    ImmutableList.Builder<String> lines = ImmutableList.builder();
    for (Map<String, String> part : List.of(layers, vertices)) {
      part.forEach(
          (name, how) -> {
            if (!how.equals(INTEGER) && !how.equals(NOTHING)) {
              lines.add(name + ": " + how);
            }
          });
    }
    return lines.build();
  }

  /** Reads one model that computes in integers. */
  private static final class Reader {
    private final QuantizedModel model;
    private final QuantizedGraph quantized;
    private final ImmutableMap<String, String> reasons;

    Reader(QuantizedModel model) {
      this.model = model;
      this.quantized = model.toQuantizedGraph();
      this.reasons = GraphReader.read(model.plainNetwork()).floatReasons();
    }

    Computation computation() {
      ImmutableMap<String, String> layers =
          model.layers().stream()
              .collect(
                  ImmutableMap.toImmutableMap(
                      QuantizedLayer::name, layer -> how(layer.name(), Optional.of(layer))));
      ImmutableMap<String, String> vertices =
          quantized.graph().nodes().stream()
              .map(Node::layer)
              .filter(name -> !layers.containsKey(name) && !isInput(name))
              .distinct()
              .collect(
                  ImmutableMap.toImmutableMap(name -> name, name -> how(name, Optional.empty())));
      return new Computation(layers, vertices);
    }

    private boolean isInput(String name) {
      return quantized.graph().inputs().contains(name);
    }

    private String how(String name, Optional<QuantizedLayer> layer) {
      List<Node> nodes =
          quantized.graph().nodes().stream().filter(node -> node.layer().equals(name)).toList();
      boolean sums = nodes.stream().anyMatch(node -> quantized.weights(node.name()).isPresent());
      if (reasons.containsKey(name)) {
        return (sums ? "integer, then float: " : inFloat(layer)) + reasons.get(name);
      }
      if (!sums && nodes.stream().anyMatch(node -> node.op() instanceof Weighted)) {
        return inFloat(layer)
            + layer.flatMap(QuantizedLayer::floatReason).orElseGet(() -> withoutSums(name));
      }
      return sums || nodes.stream().anyMatch(this::isCoded) ? withEnd(nodes) : moved(nodes);
    }

    private static String inFloat(Optional<QuantizedLayer> layer) {
      boolean codes =
          layer.stream()
              .flatMap(own -> own.parameters().stream())
              .anyMatch(own -> own.role() == ParameterRole.WEIGHT && own.codes().isPresent());
      return codes ? WEIGHTS_ONLY + ": " : FLOAT;
    }

    private String withoutSums(String name) {
      return model.plan().of(name).keepsFloatActivations()
          ? "the plan keeps what it gives float"
          : "its input is float";
    }

    private boolean isCoded(Node node) {
      return quantized.carrier(node.name()) != Carrier.FLOATS;
    }

    private static String withEnd(List<Node> nodes) {
      return nodes.stream().anyMatch(node -> node.op() instanceof Softmax)
          ? "integer, softmax in float"
          : INTEGER;
    }

    private static String moved(List<Node> nodes) {
      if (nodes.isEmpty()) {
        return NOTHING;
      }
      return nodes.stream().anyMatch(node -> node.op() instanceof Softmax)
          ? FLOAT + "softmax has no integer form"
          : FLOAT + "an input of it is float, and nothing in integers takes what it gives";
    }
  }
}
