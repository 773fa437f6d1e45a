package org.dl4jquant.dl4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** What a configuration tells of the shape of an input, in DL4J's order of axes. */
final class InputShapes {
  private InputShapes() {}

  /** Returns the shape that the first layers of a network take. */
  static Shape of(MultiLayerConfiguration configuration) {
    List<Object> path = new ArrayList<>();
    for (int i = 0; i < configuration.getConfs().size(); i++) {
      InputPreProcessor preprocessor = configuration.getInputPreProcess(i);
      if (preprocessor != null) {
        path.add(preprocessor);
      }
      path.add(configuration.getConf(i).getLayer());
    }
    return along(path)
        .orElseThrow(
            () ->
                Checks.violated("inputShapes", "tell the shape of an input of such layers", path));
  }

  /**
   * Returns the shape that the first of these takes; absent if they take any number of axes or
   * nothing is known.
   *
   * @param path preprocessors, layers, and vertices that only change the number of channels
   */
  static Optional<Shape> along(List<Object> path) {
    boolean sameChannels = true;
    for (Object step : path) {
      Optional<TakenShape> taken =
          step instanceof GraphVertex ? Optional.empty() : TakenShape.of(step);
      if (taken.isPresent()) {
        boolean known = sameChannels && taken.get().channels() != Shape.UNKNOWN;
        return Optional.of(
            known ? taken.get().shape() : taken.get().withChannels(channels(path)).shape());
      }
      if (step instanceof InputPreProcessor) {
        return Optional.empty();
      }
      sameChannels &= !(step instanceof GraphVertex);
    }
    return Optional.empty();
  }

  /** Layers without weights keep the channels, so the first with weights tells their number. */
  private static int channels(List<Object> path) {
    for (Object step : path) {
      if (step instanceof GraphVertex) {
        return Shape.UNKNOWN;
      }
      if (step instanceof InputPreProcessor) {
        return TakenShape.of(step).map(TakenShape::channels).orElse(Shape.UNKNOWN);
      }
      Layer layer = LayerMappings.thawed((Layer) step);
      if (layer instanceof FeedForwardLayer wide && wide.getNIn() > 0) {
        return Math.toIntExact(wide.getNIn());
      }
    }
    return Shape.UNKNOWN;
  }
}
