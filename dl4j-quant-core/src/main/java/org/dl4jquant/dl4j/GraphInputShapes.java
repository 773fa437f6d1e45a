package org.dl4jquant.dl4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Follows an input of a graph to the layers that tell its shape. */
final class GraphInputShapes {
  private final ComputationGraphConfiguration configuration;

  private GraphInputShapes(ComputationGraphConfiguration configuration) {
    this.configuration = configuration;
  }

  static Shape of(ComputationGraphConfiguration configuration, String input) {
    return new GraphInputShapes(configuration)
        .along(input, List.of())
        .orElseThrow(
            () ->
                Checks.violated(
                    "inputShapes", "tell the shape of input '" + input + "'", "no such shape"));
  }

  /** Returns the best shape that any way from here tells, one with known channels if there is. */
  private Optional<Shape> along(String source, List<Object> path) {
    Optional<Shape> best = InputShapes.along(path);
    for (var vertex : configuration.getVertexInputs().entrySet()) {
      if (best.isPresent() && best.get().sizes().stream().anyMatch(size -> size > 0)) {
        return best;
      }
      if (vertex.getValue().contains(source)) {
        Optional<Shape> further = through(vertex.getKey(), path);
        best = further.isPresent() ? further : best;
      }
    }
    return best;
  }

  private Optional<Shape> through(String vertex, List<Object> path) {
    GraphVertex kind =
        VertexMappings.thawed(Objects.requireNonNull(configuration.getVertices().get(vertex)));
    List<Object> longer = new ArrayList<>(path);
    if (kind instanceof LayerVertex layer) {
      if (layer.getPreProcessor() != null) {
        longer.add(layer.getPreProcessor());
      }
      longer.add(layer.getLayerConf().getLayer());
    } else if (kind instanceof PreprocessorVertex preprocessor) {
      longer.add(preprocessor.getPreProcessor());
    } else if (kind instanceof MergeVertex || kind instanceof SubsetVertex) {
      longer.add(kind);
    } else if (!(kind instanceof ElementWiseVertex
        || kind instanceof ScaleVertex
        || kind instanceof ShiftVertex)) {
      return InputShapes.along(longer); // others change the axes
    }
    return along(vertex, longer);
  }
}
