package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;

/**
 * Chooses among strategies by what they do to the network's outputs (before a softmax) for examples
 * of the calibration, computed in integers: first the strategy that is best for all values, then
 * value by value, from the input to the output, another one where that makes the outputs better.
 *
 * <p>Affordable: the multiplications of all trials together are limited, by fewer examples and, for
 * large networks, by leaving the values after some point with the strategy that is best for all.
 */
final class StrategySearch {
  private static final int MOST_EXAMPLES = 128;
  private static final int FEWEST_EXAMPLES = 4;
  private static final double MOST_PER_TRIAL = 1e9; // multiplications
  private static final double MOST_OF_ALL = 2e10;
  private static final double GAIN = 0.999; // less is not worth a change

  private final NetworkGraph graph;
  private final CalibrationExamples examples;
  private final Function<Map<String, ActivationFormat>, QuantizedGraph> assembly;
  private final double multiplications; // of one trial

  /**
   * Prepares a search.
   *
   * @param graph in float
   * @param assembly from the formats of all values to a graph in integers
   */
  StrategySearch(
      NetworkGraph graph,
      CalibrationExamples examples,
      Function<Map<String, ActivationFormat>, QuantizedGraph> assembly) {
    this.graph = graph;
    this.assembly = assembly;
    double each = multiplications(graph, examples);
    int count = (int) Math.min(MOST_EXAMPLES, MOST_PER_TRIAL / each);
    this.examples = examples.first(Math.max(FEWEST_EXAMPLES, count));
    this.multiplications = each * this.examples.size();
  }

  private static double multiplications(NetworkGraph graph, CalibrationExamples examples) {
    Map<String, Shape> inputs = new HashMap<>();
    examples.inputs().forEach((name, value) -> inputs.put(name, Shape.ofBatch(value.shape())));
    ImmutableMap<String, Shape> shapes = graph.shapes(inputs);
    double sum = 1;
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Weighted op) {
        Shape shape = Objects.requireNonNull(shapes.get(node.name()));
        sum += (double) shape.elements() * op.weight().length() / op.outputChannels();
      }
    }
    return sum;
  }

  /**
   * What was chosen.
   *
   * @param formats of all values
   * @param strategies by value
   */
  record Choice(
      ImmutableMap<String, ActivationFormat> formats, ImmutableMap<String, String> strategies) {
    /** Returns the strategies as text, such as {@code input kl, others mse}. */
    String text() {
      String usual =
          strategies.values().stream()
              .collect(
                  Collectors.groupingBy(name -> name, LinkedHashMap::new, Collectors.counting()))
              .entrySet()
              .stream()
              .max(Map.Entry.comparingByValue())
              .map(Map.Entry::getKey)
              .orElse("none");
      String others =
          strategies.entrySet().stream()
              .filter(entry -> !entry.getValue().equals(usual))
              .map(entry -> entry.getKey() + " " + entry.getValue() + ", ")
              .collect(Collectors.joining());
      return others + (others.isEmpty() ? "all " : "others ") + usual;
    }
  }

  /**
   * Searches.
   *
   * @param candidates the formats of all values by strategy, at least one
   */
  Choice choose(ImmutableMap<String, ImmutableMap<String, ActivationFormat>> candidates) {
    Outputs outputs = new Outputs(candidates.values().iterator().next());
    String best = candidates.keySet().iterator().next();
    double least = Double.POSITIVE_INFINITY;
    for (Map.Entry<String, ImmutableMap<String, ActivationFormat>> each : candidates.entrySet()) {
      double error = outputs.error(each.getValue());
      if (error < least) {
        least = error;
        best = each.getKey();
      }
    }
    Map<String, ActivationFormat> formats =
        new LinkedHashMap<>(Objects.requireNonNull(candidates.get(best)));
    Map<String, String> strategies = new LinkedHashMap<>();
    String usual = best;
    formats.keySet().forEach(name -> strategies.put(name, usual));
    double trials = MOST_OF_ALL / multiplications - candidates.size();
    for (String value : ImmutableSet.copyOf(formats.keySet())) {
      ImmutableSet.Builder<ActivationFormat> tried = ImmutableSet.builder();
      for (Map.Entry<String, ImmutableMap<String, ActivationFormat>> each : candidates.entrySet()) {
        ActivationFormat before = Objects.requireNonNull(formats.get(value));
        ActivationFormat other = Objects.requireNonNull(each.getValue().get(value));
        tried.add(before);
        if (tried.build().contains(other) || trials < 1) {
          continue;
        }
        tried.add(other);
        trials--;
        formats.put(value, other);
        double error = outputs.error(formats);
        if (error < GAIN * least) {
          least = error;
          strategies.put(value, each.getKey());
        } else {
          formats.put(value, before);
        }
      }
    }
    return new Choice(ImmutableMap.copyOf(formats), ImmutableMap.copyOf(strategies));
  }

  /** The outputs that are compared. */
  private final class Outputs {
    private final ImmutableMap<String, String> compared; // by output
    private final ImmutableMap<String, Tensor> wanted;

    Outputs(Map<String, ActivationFormat> formats) {
      QuantizedGraph quantized = assembly.apply(formats);
      Map<String, String> names = new LinkedHashMap<>();
      for (String output : graph.outputs()) {
        String name = output;
        while (quantized.carrier(name) != Carrier.CODES && graph.node(name).inputs().size() == 1) {
          name = graph.node(name).input();
        }
        names.put(output, quantized.carrier(name) == Carrier.CODES ? name : output);
      }
      this.compared = ImmutableMap.copyOf(names);
      this.wanted = ExampleValues.of(graph, examples, ImmutableSet.copyOf(compared.values()));
    }

    /** The squared error relative to the squares, summed over the outputs. */
    double error(Map<String, ActivationFormat> formats) {
      QuantizedGraph quantized = assembly.apply(formats);
      IntegerNetwork network = IntegerNetwork.of(quantized);
      double sum = 0;
      for (Map.Entry<String, String> each : compared.entrySet()) {
        String name = each.getValue();
        Tensor given =
            quantized.carrier(name) == Carrier.CODES
                ? network.layerCodes(name, examples.inputs()).dequantize()
                : Objects.requireNonNull(network.outputs(examples.inputs()).get(each.getKey()));
        sum += error(Objects.requireNonNull(wanted.get(name)), given);
      }
      return sum;
    }

    private static double error(Tensor wanted, Tensor given) {
      double noise = 0;
      double signal = Double.MIN_NORMAL;
      for (int i = 0; i < wanted.length(); i++) {
        double value = wanted.values()[i];
        double difference = given.values()[i] - value;
        if (Double.isFinite(difference)) {
          noise += difference * difference;
          signal += value * value;
        }
      }
      return noise / signal;
    }
  }
}
