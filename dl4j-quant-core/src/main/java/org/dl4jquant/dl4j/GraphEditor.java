package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.internal.Checks;

/** Edits a ComputationGraph. */
final class GraphEditor extends NetworkEditor {
  private final ComputationGraphConfiguration configuration;
  private final ImmutableList<String> order;

  GraphEditor(Dl4jNetwork network) {
    super(network);
    configuration = ComputationGraphConfiguration.fromJson(network.configuration());
    ImmutableList.Builder<String> names = ImmutableList.builder();
    ComputationGraph graph = (ComputationGraph) network.model();
    for (int index : graph.topologicalSortOrder()) {
      names.add(graph.getVertices()[index].getVertexName());
    }
    order = names.build();
  }

  private Map<String, GraphVertex> vertices() {
    return configuration.getVertices();
  }

  private Map<String, List<String>> inputs() {
    return configuration.getVertexInputs();
  }

  private Optional<LayerVertex> find(String name) {
    GraphVertex vertex = vertices().get(name);
    if (vertex instanceof FrozenVertex frozen) {
      vertex = frozen.getUnderlying();
    }
    return vertex instanceof LayerVertex layer ? Optional.of(layer) : Optional.empty();
  }

  private LayerVertex vertex(String name) {
    return find(name).orElseThrow(() -> Checks.violated("layer", "be one of " + layers(), name));
  }

  @Override
  ImmutableList<String> layers() {
    return order.stream()
        .filter(name -> find(name).isPresent())
        .collect(ImmutableList.toImmutableList());
  }

  @Override
  Layer layer(String name) {
    return Dl4jLayer.unwrap(vertex(name).getLayerConf().getLayer());
  }

  @Override
  Optional<InputPreProcessor> preProcessor(String name) {
    return Optional.ofNullable(vertex(name).getPreProcessor());
  }

  private List<String> inputs(String name) {
    return Objects.requireNonNull(inputs().get(name));
  }

  @Override
  Optional<String> layerBefore(String name) {
    List<String> before = inputs(name);
    long consumers =
        inputs().values().stream()
            .flatMap(List::stream)
            .filter(input -> input.equals(before.get(0)))
            .count();
    return before.size() == 1
            && consumers == 1
            && find(before.get(0)).isPresent()
            && !configuration.getNetworkOutputs().contains(before.get(0))
        ? Optional.of(before.get(0))
        : Optional.empty();
  }

  private static NeuralNetConfiguration like(NeuralNetConfiguration other, Layer layer) {
    NeuralNetConfiguration copy = other.clone();
    copy.setLayer(layer);
    copy.clearVariables();
    return copy;
  }

  @Override
  void replace(String name, Layer layer) {
    name(layer, name);
    LayerVertex vertex = vertex(name);
    vertex.setLayerConf(like(vertex.getLayerConf(), layer));
    vertices().put(name, vertex);
  }

  @Override
  void insertBefore(String name, String newName, Layer layer) {
    name(layer, newName);
    LayerVertex next = vertex(name);
    requireFree(newName);
    vertices()
        .put(newName, new LayerVertex(like(next.getLayerConf(), layer), next.getPreProcessor()));
    next.setPreProcessor(null);
    inputs().put(newName, inputs(name));
    inputs().put(name, List.of(newName));
  }

  private void requireFree(String name) {
    Checks.that(
        !vertices().containsKey(name) && !configuration.getNetworkInputs().contains(name),
        "vertices",
        "leave this name free",
        name);
  }

  @Override
  void quantizeInput(String name, FakeQuantizedPreProcessor quantizer) {
    String codes = name + "/codes";
    requireFree(codes);
    redirect(name, codes);
    vertices().put(codes, new PreprocessorVertex(quantizer));
    inputs().put(codes, List.of(name));
  }

  private void redirect(String from, String to) {
    inputs()
        .replaceAll(
            (vertex, before) -> {
              List<String> changed = new ArrayList<>(before);
              changed.replaceAll(input -> input.equals(from) ? to : input);
              return changed;
            });
  }

  /** Moves the vertex aside, so that its name stands for the quantized value. */
  @Override
  void quantizeOutput(String name, FakeQuantizedPreProcessor quantizer) {
    String exact = name + "/exact";
    requireFree(exact);
    moved(name, exact);
    find(name).ifPresent(layer -> name(layer.getLayerConf().getLayer(), exact)); // for updaters
    GraphVertex vertex = Objects.requireNonNull(vertices().remove(name));
    vertices().put(exact, vertex);
    inputs().put(exact, Objects.requireNonNull(inputs().remove(name)));
    vertices().put(name, new PreprocessorVertex(quantizer));
    inputs().put(name, List.of(exact));
  }

  @Override
  Changed changed() {
    configuration.setTopologicalOrder(null);
    configuration.setTopologicalOrderStr(null);
    long parameters =
        vertices().values().stream().mapToLong(vertex -> vertex.numParams(false)).sum();
    return new Changed(configuration.toJson(), configuration.getDataType(), parameters);
  }
}
