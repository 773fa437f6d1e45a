package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * Learns the steps of weights and values with the weights (LSQ, Esser et al. 2020), from the
 * gradient that DL4J has for what is quantized, before its updater changes it. Each step follows
 * Adam's rule. Not thread-safe.
 */
final class LearnedStepsListener extends BaseTrainingListener {
  private final Map<String, Learned> all = new TreeMap<>();

  /** Steps, and where they are. */
  private record Learned(StepPlace place, LearnedStep step) {}

  /**
   * Returns a listener that learns the steps of a network's fixed-point weights in layers that ask
   * their weight noise, and those of the values for which it has a place; empty if there are none.
   *
   * @param moved gives the name in the network of a layer of the model
   */
  static Optional<LearnedStepsListener> of(
      Model network, QuantizedModel model, StepRates rates, UnaryOperator<String> moved) {
    LearnedStepsListener listener = new LearnedStepsListener();
    rates
        .weights()
        .ifPresent(
            rate -> model.layers().forEach(own -> listener.learn(network, own, rate, moved)));
    if (rates.activations().isPresent() && !model.activations().isEmpty()) {
      NetworkGraph graph = GraphReader.read(model.plainNetwork()).graph();
      for (String value : model.activations().keySet()) {
        place(network, graph.node(value))
            .ifPresent(
                place -> listener.learn(value, place, network, rates.activations().getAsDouble()));
      }
    }
    listener.all.values().forEach(own -> own.place().put(network, own.step().grid()));
    return listener.all.isEmpty() ? Optional.empty() : Optional.of(listener);
  }

  private void learn(
      Model network, QuantizedLayer layer, double rate, UnaryOperator<String> moved) {
    String name = moved.apply(layer.name());
    if (layer.weightBits() == QuantizedLayer.FLOAT_BITS
        || !FakeQuantizedWeights.hearsWeightNoise(network, name)) {
      return;
    }
    for (QuantizedParameter parameter : layer.parameters()) {
      QuantizedTensor codes = parameter.codes().orElse(null);
      if (parameter.role() == ParameterRole.WEIGHT
          && codes != null
          && codes.formats().get(0) instanceof FixedPointFormat) {
        String key = parameter.key();
        StepGrid grid = WeightGrid.of(layer.name() + "." + key, codes).steps();
        all.put(
            layer.name() + "/" + key,
            new Learned(new StepPlace.OfParameter(name, key), new LearnedStep(rate, grid)));
      }
    }
  }

  private void learn(String value, StepPlace place, Model network, double rate) {
    all.put(value, new Learned(place, new LearnedStep(rate, place.grid(network).orElseThrow())));
  }

  /** Returns where a network quantizes a value, if its steps are to be learned. */
  private static Optional<StepPlace> place(Model network, Node node) {
    String layer = node.layer();
    boolean input = node.op() instanceof Input;
    if (node.name().equals(layer + "/preactivation")) {
      return Optional.empty();
    }
    StepPlace activation = new StepPlace.OfActivation(layer);
    if (!input && activation.grid(network).isPresent()) {
      return Optional.of(activation);
    }
    String before = input ? node.name() + "/codes" : layer;
    if (network instanceof MultiLayerNetwork layers) {
      before = String.valueOf(input ? 0 : layers.getLayerNames().indexOf(layer) + 1);
    }
    return Optional.<StepPlace>of(new StepPlace.OfPreProcessor(before))
        .filter(own -> own.grid(network).isPresent());
  }

  /** Lets the layers of a network that were given other formats compute with the steps again. */
  void place(Model network) {
    all.values().forEach(own -> own.place().put(network, own.step().grid()));
  }

  /**
   * Returns a model with the nearest powers of two in the place of the steps of a network.
   *
   * @param trained this network or another state of it
   * @param values the weights of that state, in a network of the form of the model
   */
  QuantizedModel snapped(QuantizedModel model, Model trained, Dl4jNetwork values) {
    ImmutableMap.Builder<String, ImmutableList<NumberFormat>> weights = ImmutableMap.builder();
    ImmutableMap.Builder<String, ActivationFormat> activations = ImmutableMap.builder();
    all.forEach(
        (name, own) -> {
          StepGrid grid = own.place().grid(trained).orElse(own.step().grid());
          ActivationFormat format = model.activations().get(name);
          if (own.place() instanceof StepPlace.OfParameter || format == null) {
            weights.put(name, ImmutableList.copyOf(grid.snapped(of(model, name))));
          } else {
            FixedPointFormat like = (FixedPointFormat) format.formats().get(0);
            activations.put(
                name,
                new ActivationFormat(
                    format.granularity(), ImmutableList.copyOf(grid.snapped(like))));
          }
        });
    return model.withValues(values, weights.buildOrThrow(), activations.buildOrThrow());
  }

  private static FixedPointFormat of(QuantizedModel model, String parameter) {
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter own : layer.parameters()) {
        if (parameter.equals(layer.name() + "/" + own.key())) {
          return (FixedPointFormat) own.codes().orElseThrow().formats().get(0);
        }
      }
    }
    throw Checks.violated("model", "have parameter " + parameter, "none");
  }

  /** Returns the steps as they are now, by the name of the parameter or value. */
  Map<String, double[]> steps() {
    Map<String, double[]> steps = new TreeMap<>();
    all.forEach((name, own) -> steps.put(name, own.step().grid().steps()));
    return steps;
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(all.size());
    for (Map.Entry<String, Learned> own : all.entrySet()) {
      out.writeUTF(own.getKey());
      own.getValue().step().write(out);
    }
  }

  /**
   * Goes on with the steps that {@link #write} has written.
   *
   * @throws IllegalArgumentException if they are of other parameters or values; nothing is changed
   *     then
   */
  void read(DataInputStream in, Model network) throws IOException {
    Map<String, Learned> read = new TreeMap<>();
    for (int left = in.readInt(); left > 0; left--) {
      String name = in.readUTF();
      Learned own =
          Optional.ofNullable(all.get(name))
              .orElseThrow(() -> Checks.violated("steps", "be of " + all.keySet(), name));
      read.put(name, new Learned(own.place(), own.step().read(name, in)));
    }
    Checks.that(read.size() == all.size(), "steps", "be of " + all.keySet(), read.keySet());
    all.putAll(read);
    place(network);
  }

  @Override
  public void onGradientCalculation(Model model) {
    for (Learned own : all.values()) {
      own.place()
          .gradient(model)
          .ifPresent(
              gradient -> {
                own.step().follow(gradient);
                own.place().put(model, own.step().grid());
              });
    }
  }

  @Override
  public String toString() {
    return "LearnedStepsListener" + all.keySet();
  }
}
