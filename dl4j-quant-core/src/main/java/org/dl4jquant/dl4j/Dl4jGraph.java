package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.VertexIndices;
import org.deeplearning4j.nn.graph.vertex.impl.FrozenVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A ComputationGraph. A layer is called by the name of its vertex. */
final class Dl4jGraph extends Dl4jNetwork {
  private final ComputationGraph network;

  Dl4jGraph(ComputationGraph network, ImmutableMap<String, Shape> inputShapes) {
    super(inputShapes);
    this.network = network;
  }

  static Dl4jGraph create(String configuration, INDArray parameters) {
    ComputationGraph network =
        new ComputationGraph(ComputationGraphConfiguration.fromJson(configuration));
    network.init(parameters, false);
    return new Dl4jGraph(network, ImmutableMap.of());
  }

  @Override
  public Model model() {
    return network;
  }

  @Override
  public boolean isGraph() {
    return true;
  }

  @Override
  public ImmutableList<Dl4jLayer> layers() {
    ImmutableList.Builder<Dl4jLayer> layers = ImmutableList.builder();
    for (int index : network.topologicalSortOrder()) {
      GraphVertex vertex = network.getVertices()[index];
      String name = vertex.getVertexName();
      boolean frozen = vertex instanceof FrozenVertex;
      if (vertex.hasLayer()) {
        layers.add(Dl4jLayer.of(name, vertex.getLayer(), frozen));
        continue;
      }
      Map<String, INDArray> parameters = vertex.paramTable(false);
      if (parameters != null && !parameters.isEmpty()) {
        layers.add(Dl4jLayer.of(name, configuration(name), frozen, parameters));
      }
    }
    return requireUniqueNames(layers.build());
  }

  @Override
  public ImmutableMap<String, String> vertices() {
    List<String> layers = layers().stream().map(Dl4jLayer::name).toList();
    ImmutableMap.Builder<String, String> vertices = ImmutableMap.builder();
    for (int index : network.topologicalSortOrder()) {
      GraphVertex vertex = network.getVertices()[index];
      String name = vertex.getVertexName();
      if (!layers.contains(name)) {
        vertices.put(
            name,
            vertex.isInputVertex() ? INPUT_KIND : configuration(name).getClass().getSimpleName());
      }
    }
    return vertices.buildOrThrow();
  }

  private org.deeplearning4j.nn.conf.graph.GraphVertex configuration(String vertex) {
    var found = network.getConfiguration().getVertices().get(vertex);
    return found instanceof org.deeplearning4j.nn.conf.graph.FrozenVertex frozen
        ? frozen.getUnderlying()
        : Objects.requireNonNull(found);
  }

  @Override
  public ImmutableList<Dl4jHead> heads() {
    Map<String, Dl4jLayer> layers = Maps.uniqueIndex(layers(), Dl4jLayer::name);
    ImmutableMap.Builder<String, HeadSearch.Step> steps = ImmutableMap.builder();
    network
        .getConfiguration()
        .getVertexInputs()
        .forEach(
            (vertex, inputs) -> {
              Optional<Dl4jLayer> layer = Optional.ofNullable(layers.get(vertex));
              steps.put(
                  vertex,
                  new HeadSearch.Step(
                      layer.flatMap(Dl4jLayer::configuration),
                      layer.map(Dl4jLayer::weightCount).orElse(0L) > 0,
                      configuration(vertex) instanceof MergeVertex,
                      ImmutableList.copyOf(inputs)));
            });
    return HeadSearch.search(
        steps.buildOrThrow(), ImmutableList.copyOf(network.getConfiguration().getNetworkOutputs()));
  }

  @Override
  public String configuration() {
    return network.getConfiguration().toJson();
  }

  @Override
  public ImmutableList<INDArray> output(INDArray... inputs) {
    return ImmutableList.copyOf(network.output(inputs));
  }

  @Override
  public ImmutableMap<String, LayerOutput> layerOutputs(
      ImmutableList<INDArray> inputs, ImmutableList<Optional<INDArray>> masks) {
    List<String> names = network.getConfiguration().getNetworkInputs();
    Checks.that(inputs.size() == names.size(), "inputs", "be those of " + names, inputs.size());
    Checks.that(masks.size() == names.size(), "masks", "be one per input", masks.size());
    try {
      Map<String, Optional<INDArray>> outputMasks = outputMasks(names, masks);
      Map<String, INDArray> values = values(inputs.toArray(INDArray[]::new));
      ImmutableMap.Builder<String, LayerOutput> outputs = ImmutableMap.builder();
      values.forEach(
          (name, value) -> {
            if (!names.contains(name)) {
              outputs.put(
                  name, new LayerOutput(value, outputMasks.getOrDefault(name, Optional.empty())));
            }
          });
      return outputs.buildOrThrow();
    } finally {
      network.clearLayerMaskArrays();
    }
  }

  /** Does what {@code feedForward(inputs, false)} does, but for what layers overwrite. */
  private Map<String, INDArray> values(INDArray... inputs) {
    LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
    network.setInputs(inputs);
    GraphVertex[] vertices = network.getVertices();
    Map<String, INDArray> values = new LinkedHashMap<>();
    for (int index : network.topologicalSortOrder()) {
      GraphVertex vertex = vertices[index];
      INDArray value =
          vertex.isInputVertex()
              ? inputs[vertex.getVertexIndex()]
              : vertex.doForward(false, workspaces);
      values.put(vertex.getVertexName(), value);
      VertexIndices[] consumers = vertex.getOutputVertices();
      for (VertexIndices consumer : consumers == null ? new VertexIndices[0] : consumers) {
        GraphVertex next = vertices[consumer.getVertexIndex()];
        INDArray own = next.hasLayer() ? Overwriting.spared(next.getLayer(), value) : value;
        next.setInput(consumer.getVertexEdgeNumber(), own, workspaces);
      }
      vertex.clear();
    }
    return values;
  }

  /** Sends the masks through the vertices, as DL4J does, which also sets them in each. */
  private Map<String, Optional<INDArray>> outputMasks(
      List<String> names, ImmutableList<Optional<INDArray>> masks) {
    Map<String, Optional<INDArray>> known = new HashMap<>();
    Optional<INDArray> some = masks.stream().flatMap(Optional::stream).findFirst();
    if (some.isEmpty()) {
      return known;
    }
    network.setLayerMaskArrays(
        masks.stream().map(mask -> mask.orElse(null)).toArray(INDArray[]::new), null);
    int batch = Math.toIntExact(some.get().size(0));
    Map<Integer, Pair<INDArray, MaskState>> current = new HashMap<>();
    for (int index : network.topologicalSortOrder()) {
      GraphVertex vertex = network.getVertices()[index];
      int input = names.indexOf(vertex.getVertexName());
      Pair<INDArray, MaskState> mask =
          input >= 0
              ? new Pair<>(masks.get(input).orElse(null), MaskState.Active)
              : LayerOutput.orNone(through(vertex, current, batch));
      current.put(index, mask);
      boolean output = vertex.hasLayer() && vertex.getLayer() instanceof IOutputLayer;
      // an output layer sends no mask on, but has one
      Pair<INDArray, MaskState> own =
          output
              ? LayerOutput.orNone(current.get(vertex.getInputVertices()[0].getVertexIndex()))
              : mask;
      known.put(vertex.getVertexName(), LayerOutput.mask(own));
    }
    return known;
  }

  private static @Nullable Pair<INDArray, MaskState> through(
      GraphVertex vertex, Map<Integer, Pair<INDArray, MaskState>> known, int batch) {
    VertexIndices[] sources = vertex.getInputVertices();
    @Nullable INDArray[] masks = new INDArray[sources.length];
    @Nullable MaskState state = null;
    for (int i = 0; i < sources.length; i++) {
      Pair<INDArray, MaskState> mask =
          Objects.requireNonNull(known.get(sources[i].getVertexIndex()));
      masks[i] = mask.getFirst();
      if (mask.getFirst() != null && (state == null || mask.getSecond() == MaskState.Passthrough)) {
        state = mask.getSecond();
      }
    }
    return state == null ? null : vertex.feedForwardMaskArrays(masks, state, batch);
  }

  @Override
  NetworkImage read(Map<String, Shape> shapes) {
    return VertexReader.read(network, layers(), shapes);
  }

  @Override
  public Dl4jNetwork withInputShapes(Map<String, Shape> shapes) {
    return new Dl4jGraph(network, ImmutableMap.copyOf(shapes));
  }

  @Override
  ImmutableList<String> inputNames() {
    return ImmutableList.copyOf(network.getConfiguration().getNetworkInputs());
  }

  @Override
  Optional<Shape> toldShape(String input) {
    return GraphInputShapes.find(network.getConfiguration(), input);
  }
}
