package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One layer that is being drawn, and the pens. */
final class LayerScope {
  private final Sketch sketch;
  private final Dl4jLayer description;
  private final org.deeplearning4j.nn.api.Layer layer;
  private final NeuralNetConfiguration configuration;
  private final Layer kind;

  /**
   * A layer of a network.
   *
   * @param configuration of this layer, wrappers and all
   */
  LayerScope(
      Sketch sketch,
      Dl4jLayer description,
      org.deeplearning4j.nn.api.Layer layer,
      NeuralNetConfiguration configuration) {
    this(sketch, description, layer, configuration, LayerMappings.thawed(configuration.getLayer()));
  }

  private LayerScope(
      Sketch sketch,
      Dl4jLayer description,
      org.deeplearning4j.nn.api.Layer layer,
      NeuralNetConfiguration configuration,
      Layer kind) {
    this.sketch = sketch;
    this.description = description;
    this.layer = layer;
    this.configuration = configuration;
    this.kind = kind;
  }

  /** Returns the same layer seen as the one inside its wrapper. */
  LayerScope inside(Layer underlying) {
    return new LayerScope(sketch, description, layer, configuration, underlying);
  }

  String name() {
    return description.name();
  }

  /** Returns the configuration of the layer itself, which {@code type} must fit. */
  <L extends Layer> L kind(Class<L> type) {
    return type.cast(kind);
  }

  Shape shape(Value value) {
    return sketch.shape(value);
  }

  Value channelsFirst(Value value) {
    return sketch.channelsFirst(value);
  }

  Value asInDl4j(Value value) {
    return sketch.asInDl4j(value);
  }

  /** Returns rows of features with the features first, {@code [features, time]}. */
  Value steps(Value rows) {
    return sketch.steps(rows);
  }

  /**
   * Returns the value with the channels in front.
   *
   * @param channelsLast whether DL4J's array has them on its last axis
   */
  Value spatial(Value value, boolean channelsLast) {
    return channelsLast ? sketch.channelsFirst(value) : sketch.asInDl4j(value);
  }

  /** Returns a parameter as DL4J uses it at inference, in the shape of its layout. */
  Tensor parameter(String key) {
    Dl4jParameter parameter =
        description.parameters().stream()
            .filter(p -> p.key().equals(key))
            .findFirst()
            .orElseThrow(
                () -> Checks.violated("layer '" + name() + "'", "have a parameter " + key, kind));
    IWeightNoise noise = kind instanceof BaseLayer base ? base.getWeightNoise() : null;
    if (noise == null || !LayerMappings.usesWeightNoise(kind)) {
      return parameter.tensor();
    }
    INDArray seen = noise.getParameter(layer, key, 0, 0, false, LayerWorkspaceMgr.noWorkspaces());
    return Tensors.of(seen).reshape(parameter.tensor().shape());
  }

  boolean hasParameter(String key) {
    return description.parameters().stream().anyMatch(p -> p.key().equals(key));
  }

  /** Returns the bias {@code b}, or zeros. */
  Tensor bias(int outputs) {
    return hasParameter("b") ? parameter("b").reshape(outputs) : Tensor.zeros(outputs);
  }

  /** Adds the node that is named like the layer. */
  Value add(Op op, Layout layout, Value input) {
    return sketch.add(name(), op, name(), layout, List.of(input.node()));
  }

  /** Adds the node that is named like the layer and {@code word}. */
  Value add(String word, Op op, Layout layout, Value input) {
    return sketch.add(name() + "/" + word, op, name(), layout, List.of(input.node()));
  }

  /** Adds an operation with the layer's parameters {@code key} and {@code b}, then activates. */
  Value weighted(Weighted op, String key, Value input, IActivation activation) {
    boolean plain = Activations.isIdentity(activation);
    Value sums =
        plain ? add(op, input.layout(), input) : add("preactivation", op, input.layout(), input);
    Optional<String> bias = hasParameter("b") ? Optional.of("b") : Optional.empty();
    sketch.weights(sums, new WeightSource(name(), key, bias));
    return plain ? sums : activate(activation, sums);
  }

  /** Notes where the weights of a node come from. */
  void weights(Value node, String key, Optional<String> bias) {
    sketch.weights(node, new WeightSource(name(), key, bias));
  }

  /** Adds the function as the node that is named like the layer; an identity adds nothing. */
  Value activate(IActivation activation, Value input) {
    if (Activations.isIdentity(activation)) {
      return input;
    }
    Optional<ScalarFunction> function = Activations.function(activation);
    if (function.isPresent()) {
      return add(new Activation(function.get()), input.layout(), input);
    }
    if (activation.getClass() == ActivationSoftmax.class) {
      return softmax(input);
    }
    Value taken = sketch.folded(asInDl4j(input));
    return inFloat(
        new FloatFunction(
            activation.getClass().getSimpleName(),
            "its activation function has no integer form",
            sketch.kernel(new ActivationArrays(activation), taken)),
        ImmutableList.of(taken));
  }

  /** DL4J's softmax runs over the last axis of its array, whatever that stands for. */
  private Value softmax(Value input) {
    boolean overFirst = input.layout() != Layout.AS_IN_DL4J || shape(input).rank() == 1;
    if (overFirst && !input.has(Layout.FOLDED)) {
      return add(new Softmax(), input.layout(), input);
    }
    int rank = shape(input).rank();
    int[] lastFirst = new int[rank];
    int[] firstLast = new int[rank];
    for (int i = 0; i < rank; i++) {
      lastFirst[i] = Math.floorMod(i - 1, rank);
      firstLast[i] = (i + 1) % rank;
    }
    Value turned = add("turned", Permute.of(lastFirst), input.layout(), input);
    Value probabilities = add("softmax", new Softmax(), input.layout(), turned);
    return add(Permute.of(firstLast), input.layout(), probabilities);
  }

  /** Adds a node that runs DL4J's own layer. */
  Value inFloat(String reason, Value input) {
    Value taken = sketch.folded(asInDl4j(input));
    LayerArrays arrays = new LayerArrays(name(), configuration, layer, sketch.type());
    FloatFunction.Kernel kernel =
        RecurrentShape.isRecurrent(kind) && taken.has(Layout.AS_IN_DL4J)
            ? sketch.kernel(arrays, new RecurrentShape(kind))
            : sketch.kernel(arrays, taken);
    return inFloat(new FloatFunction(description.kind(), reason, kernel), ImmutableList.of(taken));
  }

  private Value inFloat(FloatFunction function, ImmutableList<Value> inputs) {
    sketch.floatReason(name(), function.reason());
    return sketch.add(
        name(),
        function,
        name(),
        inputs.get(0).layout(),
        inputs.stream().map(Value::node).toList());
  }
}
