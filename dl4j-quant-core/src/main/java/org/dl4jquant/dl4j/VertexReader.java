package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Draws a ComputationGraph. */
final class VertexReader {
  private final ComputationGraph network;
  private final ComputationGraphConfiguration configuration;
  private final ImmutableMap<String, Dl4jLayer> layers;
  private final Sketch sketch;
  private final Map<String, Value> values = new HashMap<>();

  private VertexReader(ComputationGraph network, ImmutableList<Dl4jLayer> layers) {
    this.network = network;
    this.configuration = network.getConfiguration();
    this.layers = Maps.uniqueIndex(layers, Dl4jLayer::name);
    this.sketch = new Sketch(configuration.getDataType());
  }

  static NetworkImage read(
      ComputationGraph network, ImmutableList<Dl4jLayer> layers, Map<String, Shape> inputShapes) {
    return new VertexReader(network, layers).read(inputShapes);
  }

  private NetworkImage read(Map<String, Shape> inputShapes) {
    List<String> inputs = configuration.getNetworkInputs();
    Checks.that(
        inputs.containsAll(inputShapes.keySet()),
        "inputShapes",
        "name inputs " + inputs,
        inputShapes.keySet());
    for (String input : inputs) {
      Shape shape = inputShapes.get(input);
      Shape known = shape == null ? GraphInputShapes.of(configuration, input) : shape;
      values.put(input, sketch.input(input, known));
    }
    for (int index : network.topologicalSortOrder()) {
      var vertex = network.getVertices()[index];
      if (!inputs.contains(vertex.getVertexName())) {
        values.put(vertex.getVertexName(), draw(vertex));
      }
    }
    return sketch.image(
        configuration.getNetworkOutputs().stream()
            .map(name -> sketch.named(name, value(name)))
            .toList());
  }

  private Value value(String vertex) {
    return Objects.requireNonNull(values.get(vertex));
  }

  private Value draw(org.deeplearning4j.nn.graph.vertex.GraphVertex vertex) {
    String name = vertex.getVertexName();
    GraphVertex kind =
        VertexMappings.thawed(Objects.requireNonNull(configuration.getVertices().get(name)));
    ImmutableList<Value> inputs =
        Objects.requireNonNull(configuration.getVertexInputs().get(name)).stream()
            .map(this::value)
            .collect(ImmutableList.toImmutableList());
    if (!(kind instanceof LayerVertex layer)) {
      return VertexMappings.draw(new VertexScope(sketch, network, vertex, kind), inputs);
    }
    Value input = inputs.get(0);
    if (layer.getPreProcessor() != null) {
      input = Preprocessors.draw(sketch, name, layer.getPreProcessor(), input);
    }
    Dl4jLayer description = Objects.requireNonNull(layers.get(name));
    return LayerMappings.draw(
        new LayerScope(sketch, description, vertex.getLayer(), layer.getLayerConf()), input);
  }
}
