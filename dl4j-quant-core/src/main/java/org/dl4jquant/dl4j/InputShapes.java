package org.dl4jquant.dl4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** What a configuration tells of the shape of an input, in DL4J's order of axes. */
final class InputShapes {
  private InputShapes() {}

  /** Returns the shape that the first layers of a network take. */
  static Shape of(MultiLayerConfiguration configuration) {
    return find(configuration)
        .orElseThrow(
            () ->
                Checks.violated(
                    "inputShapes",
                    "tell the shape of the input, which the layers do not",
                    path(configuration).stream()
                        .map(step -> step.getClass().getSimpleName())
                        .toList()));
  }

  /** Returns the shape that the first layers of a network take, if they tell it. */
  static Optional<Shape> find(MultiLayerConfiguration configuration) {
    return along(path(configuration));
  }

  private static List<Object> path(MultiLayerConfiguration configuration) {
    List<Object> path = new ArrayList<>();
    for (int i = 0; i < configuration.getConfs().size(); i++) {
      InputPreProcessor preprocessor = configuration.getInputPreProcess(i);
      if (preprocessor != null) {
        path.add(preprocessor);
      }
      path.add(configuration.getConf(i).getLayer());
    }
    return path;
  }

  /** A vertex on the way that gives {@code added} channels more, an unknown number if -1. */
  record ChannelChange(int added) {}

  /**
   * Returns the shape that the first of these takes; absent if they take any number of axes or
   * nothing is known. Layers without weights keep the channels, so the first with weights tells
   * their number.
   *
   * @param path preprocessors, layers and changes of channels
   */
  static Optional<Shape> along(List<Object> path) {
    return axes(path).map(shape -> shape.withChannels(channels(path)).shape());
  }

  private static Optional<TakenShape> axes(List<Object> path) {
    for (Object step : path) {
      if (!(step instanceof ChannelChange)) {
        Optional<TakenShape> taken = TakenShape.of(step);
        if (taken.isPresent() || step instanceof InputPreProcessor) {
          return taken;
        }
      }
    }
    return Optional.empty();
  }

  private static int channels(List<Object> path) {
    int added = 0;
    int times = 1;
    for (Object step : path) {
      if (step instanceof ChannelChange change) {
        if (change.added() == Shape.UNKNOWN) {
          return Shape.UNKNOWN;
        }
        added += change.added();
      } else if (ownChannels(step) != Shape.UNKNOWN) {
        return (ownChannels(step) - added) / times;
      } else if (block(step) > 1) {
        times *= block(step) * block(step);
        added *= block(step) * block(step);
      }
    }
    return Shape.UNKNOWN;
  }

  /** Returns the side of the squares that a layer turns into channels, 1 for all others. */
  private static int block(Object step) {
    return step instanceof Layer layer
            && LayerMappings.thawed(layer) instanceof SpaceToDepthLayer space
        ? space.getBlockSize()
        : 1;
  }

  /** A batch normalization takes any number of axes, but knows its channels. */
  private static int ownChannels(Object step) {
    return step instanceof Layer layer
            && LayerMappings.thawed(layer) instanceof BatchNormalization normalization
        ? Math.toIntExact(normalization.getNIn())
        : TakenShape.of(step).map(TakenShape::channels).orElse(Shape.UNKNOWN);
  }
}
