package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One view of DL4J's two classes of networks.
 *
 * <p>The network is not copied: the parameters are live. As thread-safe as the network itself.
 */
public abstract sealed class Dl4jNetwork permits Dl4jLayers, Dl4jGraph {
  /** The kind of an input among the vertices. */
  static final String INPUT_KIND = "Input";

  private final ImmutableMap<String, Shape> inputShapes;

  Dl4jNetwork(ImmutableMap<String, Shape> inputShapes) {
    this.inputShapes = inputShapes;
  }

  /**
   * Returns a view of an initialized network.
   *
   * @throws IllegalArgumentException if it is neither a MultiLayerNetwork nor a ComputationGraph,
   *     or has not been initialized
   */
  public static Dl4jNetwork of(Model model) {
    if (model instanceof MultiLayerNetwork layers) {
      Checks.that(layers.isInitCalled(), "model", "be initialized", "a network without init()");
      return new Dl4jLayers(layers, ImmutableMap.of());
    }
    if (model instanceof ComputationGraph graph) {
      Checks.that(
          graph.getVertices() != null && graph.params() != null,
          "model",
          "be initialized",
          "a graph without init()");
      return new Dl4jGraph(graph, ImmutableMap.of());
    }
    throw Checks.violated(
        "model", "be a MultiLayerNetwork or a ComputationGraph", model.getClass().getName());
  }

  /**
   * Returns a new network of the given configuration and parameters.
   *
   * @param graph whether it is a ComputationGraph
   * @param configuration as DL4J writes it
   * @param parameters all of them, flattened as {@code params()} gives them; kept; an empty array
   *     if there are none
   */
  public static Dl4jNetwork create(boolean graph, String configuration, INDArray parameters) {
    return graph
        ? Dl4jGraph.create(configuration, parameters)
        : Dl4jLayers.create(configuration, parameters);
  }

  /** Returns the network itself. */
  public abstract Model model();

  /** Returns whether it is a ComputationGraph. */
  public abstract boolean isGraph();

  /** Returns every layer in topological order, also those without parameters. */
  public abstract ImmutableList<Dl4jLayer> layers();

  /**
   * Returns what is no layer but has a value: inputs, whose kind is {@code Input}, and vertices
   * without parameters; the simple name of DL4J's configuration class by the name.
   */
  public abstract ImmutableMap<String, String> vertices();

  /** Returns the names of all layers and vertices. */
  public ImmutableSet<String> names() {
    return ImmutableSet.<String>builder()
        .addAll(layers().stream().map(Dl4jLayer::name).iterator())
        .addAll(vertices().keySet())
        .build();
  }

  /**
   * Returns the layers whose weights make the outputs, in the order of the outputs. Two for an
   * output that adds or merges two layers; none for one that no weights lead to.
   */
  public abstract ImmutableList<Dl4jHead> heads();

  /** Returns the configuration as DL4J writes it. */
  public abstract String configuration();

  /** Returns what the network computes at inference, one array per output. */
  public abstract ImmutableList<INDArray> output(INDArray... inputs);

  /**
   * Returns what every layer gives at inference, and of a graph every vertex but the inputs, by
   * name. The network must not be used by others meanwhile; its masks are cleared at the end.
   *
   * @param inputs one array per input, in order
   * @param masks one feature mask per input, absent where every value counts
   */
  public abstract ImmutableMap<String, LayerOutput> layerOutputs(
      ImmutableList<INDArray> inputs, ImmutableList<Optional<INDArray>> masks);

  /** See {@link GraphReader}. */
  abstract NetworkImage read(Map<String, Shape> shapes);

  /** Returns the shapes of inputs that were told beside the configuration, by name. */
  public ImmutableMap<String, Shape> inputShapes() {
    return inputShapes;
  }

  /**
   * Returns a view of the same network that knows the shapes of inputs.
   *
   * @param shapes by the name of the input, batch excluded, axes as in DL4J's arrays
   */
  public abstract Dl4jNetwork withInputShapes(Map<String, Shape> shapes);

  /**
   * Returns a view of the same network that knows the shapes of all its inputs: where the
   * configuration does not tell one, that of these arrays.
   *
   * @param inputs one array per input, in order; others tell nothing
   */
  public Dl4jNetwork withInputsLike(INDArray... inputs) {
    ImmutableList<String> untold = untoldInputs();
    ImmutableList<String> names = inputNames();
    if (inputs.length != names.size()) {
      return this;
    }
    ImmutableMap.Builder<String, Shape> shapes = ImmutableMap.builder();
    shapes.putAll(inputShapes);
    for (int i = 0; i < inputs.length; i++) {
      if (untold.contains(names.get(i)) && inputs[i].rank() > 1) {
        shapes.put(names.get(i), Shape.ofBatch(Tensors.shape(inputs[i])));
      }
    }
    return untold.isEmpty() ? this : withInputShapes(shapes.buildOrThrow());
  }

  private ImmutableList<String> untoldInputs() {
    return inputNames().stream()
        .filter(name -> !inputShapes.containsKey(name) && toldShape(name).isEmpty())
        .collect(ImmutableList.toImmutableList());
  }

  abstract ImmutableList<String> inputNames();

  /** Returns what the configuration tells of the shape of an input. */
  abstract Optional<Shape> toldShape(String input);

  /** Returns all parameters flattened, live; an empty array for a network that has none. */
  public INDArray parameters() {
    INDArray parameters = model().params();
    return parameters == null ? Nd4j.empty() : parameters;
  }

  /** Returns a network of its own with the same configuration and a copy of the parameters. */
  public Dl4jNetwork copy() {
    return create(isGraph(), configuration(), parameters().dup()).withInputShapes(inputShapes);
  }

  /** Returns the SHA-256 of configuration and parameters, in hexadecimal. */
  public String fingerprint() {
    Hasher hasher = Hashing.sha256().newHasher().putString(configuration(), StandardCharsets.UTF_8);
    for (Dl4jLayer layer : layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        hasher.putBytes(Tensors.bytes(parameter.value()));
      }
    }
    return hasher.hash().toString();
  }

  /** Refuses two layers of one name, which no plan could tell apart. */
  static ImmutableList<Dl4jLayer> requireUniqueNames(ImmutableList<Dl4jLayer> layers) {
    ImmutableSet<String> names =
        layers.stream().map(Dl4jLayer::name).collect(ImmutableSet.toImmutableSet());
    Checks.that(
        names.size() == layers.size(),
        "layer names",
        "be unique",
        layers.stream().map(Dl4jLayer::name).toList());
    return layers;
  }
}
