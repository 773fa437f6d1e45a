package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.convert.BiasGrid;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.listeners.LimitedPrecisionBuilder;
import org.dl4jquant.listeners.LimitedPrecisionListener;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network that computes with the codes of a model, in training, too. */
final class TrainingNetwork {
  private static final String MOVED = "/exact";

  /** The bits of the grid on which weights are carried whose codes are levels. */
  static final int LEVEL_GRID_BITS = 8;

  /** By how many powers of two such weights may outgrow the largest one of the start. */
  private static final int HEADROOM_BITS = 1;

  private final Dl4jNetwork network;
  private final ShadowWeightsListener shadows = new ShadowWeightsListener();
  private Optional<LimitedPrecisionListener> masters = Optional.empty();
  private Optional<LearnedStepsListener> steps = Optional.empty();
  private final LevelSearch levels;
  private QuantizedModel model;

  private TrainingNetwork(Dl4jNetwork network, QuantizedModel model) {
    this.network = network;
    this.model = model;
    this.levels = new LevelSearch(network.model(), this::moved);
    levels.place(model);
  }

  /**
   * Builds the network.
   *
   * @param floats of the form of the model; copied
   */
  static TrainingNetwork of(Dl4jNetwork floats, QuantizedModel model, FineTuningOptions options) {
    return of(floats, model, options, ImmutableMap.of());
  }

  /**
   * Does the same with grids on which weights were carried before.
   *
   * @param grids by parameter, such as {@code dense.W}; others follow from model and weights
   */
  static TrainingNetwork of(
      Dl4jNetwork floats,
      QuantizedModel model,
      FineTuningOptions options,
      ImmutableMap<String, ImmutableList<FixedPointFormat>> grids) {
    boolean uniform =
        options.masters().isEmpty() && options.codebooks().isEmpty() && !options.steps().any();
    Checks.that(
        uniform || !model.plan().scheme().equals(Optional.of(Scheme.AFFINE)),
        "scheme",
        "be fixed point where steps are learned, levels clustered, or master weights carried",
        Scheme.AFFINE);
    TrainingNetwork built =
        new TrainingNetwork(TrainingConfiguration.apply(floats, model, options), model);
    options.masters().ifPresent(builders -> built.carry(builders.get(), grids));
    built.attach(model);
    if (!built.shadows.parameters().isEmpty()) {
      built.addListener(built.shadows);
    }
    built.steps =
        LearnedStepsListener.of(
            built.network.model(), model, options.steps(), name -> built.moved(name));
    built.steps.ifPresent(built::addListener);
    return built;
  }

  /** Lets a listener carry the weights in the formats of their codes. */
  private void carry(
      LimitedPrecisionBuilder<?> builder,
      ImmutableMap<String, ImmutableList<FixedPointFormat>> grids) {
    Map<String, Dl4jParameter> values = parameters(network);
    boolean any = false;
    for (QuantizedLayer layer : model.layers()) {
      String name = moved(layer.name());
      for (QuantizedParameter parameter : layer.parameters()) {
        QuantizedTensor codes = parameter.codes().orElse(null);
        if (parameter.role() != ParameterRole.WEIGHT || codes == null) {
          continue;
        }
        boolean levels = codes.formats().get(0) instanceof Codebook;
        if (levels && !FakeQuantizedWeights.hearsWeightNoise(network.model(), name)) {
          continue;
        }
        Dl4jParameter live = known(values, layer.name() + "/" + parameter.key());
        ImmutableList<FixedPointFormat> own =
            levels
                ? levelGrids(live.tensor().reshape(codes.shape()), codes.granularity())
                : fixedPoint(codes);
        builder.formats(
            name,
            parameter.key(),
            codes.granularity(),
            grids.getOrDefault(name + "." + parameter.key(), own));
        any = true;
      }
    }
    if (any) {
      LimitedPrecisionListener listener = builder.build();
      listener.attachTo(network.model());
      masters = Optional.of(listener);
    }
  }

  private static ImmutableList<FixedPointFormat> fixedPoint(QuantizedTensor codes) {
    return codes.formats().stream()
        .map(FixedPointFormat.class::cast)
        .collect(ImmutableList.toImmutableList());
  }

  private static ImmutableList<FixedPointFormat> levelGrids(
      Tensor weights, Granularity granularity) {
    double[] largest = new double[granularity.channels(weights.shape())];
    int[] channels = granularity.channelOfEach(weights.shape());
    double most = 0;
    for (int i = 0; i < channels.length; i++) {
      double magnitude = Math.abs(weights.values()[i]);
      largest[channels[i]] = Math.max(largest[channels[i]], magnitude);
      most = Math.max(most, magnitude);
    }
    ImmutableList.Builder<FixedPointFormat> formats = ImmutableList.builder();
    for (double own : largest) {
      double covered = own > 0 ? own : most > 0 ? most : 1;
      formats.add(FixedPointFormat.covering(Math.scalb(covered, HEADROOM_BITS), LEVEL_GRID_BITS));
    }
    return formats.build();
  }

  private void attach(QuantizedModel formats) {
    Map<String, BiasGrid> biases = formats.biasGrids();
    Map<String, Dl4jParameter> values = parameters(network);
    Map<String, String> left =
        FakeQuantizedWeights.attach(network.model(), formats, biases, this::moved);
    for (QuantizedLayer layer : formats.layers()) {
      if (left.containsKey(layer.name())) {
        FakeQuantizedWeights.of(layer, biases)
            .grids()
            .forEach(
                (key, grid) -> {
                  if (master(layer.name(), key).isEmpty()) {
                    shadows.shadow(known(values, layer.name() + "/" + key), grid);
                  }
                });
      }
    }
  }

  /** Returns the fine weights of a parameter that is carried on a grid. */
  private Optional<INDArray> master(String layer, String key) {
    return masters.flatMap(own -> own.fineWeights(moved(layer), key));
  }

  private static Dl4jParameter known(Map<String, Dl4jParameter> values, String name) {
    return Optional.ofNullable(values.get(name))
        .orElseThrow(() -> Checks.violated("network", "have parameter " + name, "none"));
  }

  private String moved(String layer) {
    return network.model() instanceof ComputationGraph graph
            && graph.getVertex(layer + MOVED) != null
        ? layer + MOVED
        : layer;
  }

  private void addListener(TrainingListener listener) {
    if (network.model() instanceof ComputationGraph graph) {
      graph.addListeners(listener);
    } else {
      ((MultiLayerNetwork) network.model()).addListeners(listener);
    }
  }

  Optional<LearnedStepsListener> steps() {
    return steps;
  }

  /**
   * Returns the model of this network or another state of it, with the nearest powers of two in the
   * place of steps that are learned.
   */
  QuantizedModel model(Model trained) {
    Dl4jNetwork values = floats(trained);
    return steps.isPresent()
        ? steps.get().snapped(model, trained, values)
        : model.withValues(values);
  }

  /** Returns every parameter under the name of its layer in the model. */
  static Map<String, Dl4jParameter> parameters(Dl4jNetwork network) {
    Map<String, Dl4jParameter> parameters = new HashMap<>();
    for (Dl4jLayer layer : network.layers()) {
      String name =
          layer.name().endsWith(MOVED)
              ? layer.name().substring(0, layer.name().length() - MOVED.length())
              : layer.name();
      layer.parameters().forEach(own -> parameters.put(name + "/" + own.key(), own));
    }
    return parameters;
  }

  Model network() {
    return network.model();
  }

  ShadowWeightsListener shadows() {
    return shadows;
  }

  Optional<LimitedPrecisionListener> masters() {
    return masters;
  }

  /** Returns the model whose formats the network computes with. */
  QuantizedModel model() {
    return model;
  }

  /**
   * Goes on with other formats of weights; those of activations must be the same, but for levels.
   */
  void use(QuantizedModel other) {
    model = other;
    attach(other);
    steps.ifPresent(own -> own.place(network.model()));
  }

  /**
   * Searches the levels of logarithmic values again in what was seen of them since the last time.
   */
  void searchLevels() {
    QuantizedModel again = model.withLevels(levels.seen());
    if (!again.activations().equals(model.activations())) {
      use(again);
    }
    levels.place(model);
  }

  /** Returns the float or fine weights behind the codes, in a network of the form of the model. */
  Dl4jNetwork floats() {
    Dl4jNetwork floats = floats(network.model());
    Map<String, Dl4jParameter> values = parameters(floats);
    for (String name : shadows.parameters()) {
      Dl4jParameter live = values.get(name);
      if (live != null) {
        INDArray master = shadows.master(name);
        live.value().assign(master.reshape('c', live.value().shape()));
      }
    }
    for (Dl4jParameter live : values.values()) {
      master(live.layer(), live.key()).ifPresent(fine -> live.value().assign(fine));
    }
    return floats;
  }

  /** Returns the weights of a trained network in a network of the form of the model. */
  Dl4jNetwork floats(Model trained) {
    Dl4jNetwork plain = model.plainNetwork();
    Map<String, Dl4jParameter> values = parameters(Dl4jNetwork.of(trained));
    for (Dl4jLayer layer : plain.layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        Dl4jParameter from = known(values, parameter.name());
        parameter.value().assign(from.value().reshape(parameter.value().shape()));
      }
    }
    return plain;
  }
}
