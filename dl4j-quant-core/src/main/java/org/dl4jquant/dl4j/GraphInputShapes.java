package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableSet;
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
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Follows an input of a graph to the layers that tell its shape. */
final class GraphInputShapes {
  private static final ImmutableSet<Class<?>> KEEPING =
      ImmutableSet.of(
          ActivationLayer.class,
          DropoutLayer.class,
          SubsamplingLayer.class,
          Subsampling1DLayer.class,
          GlobalPoolingLayer.class,
          ZeroPaddingLayer.class,
          ZeroPadding1DLayer.class,
          Cropping2D.class,
          Upsampling2D.class,
          ElementWiseVertex.class,
          ScaleVertex.class,
          ShiftVertex.class,
          DuplicateToTimeSeriesVertex.class,
          LastTimeStepVertex.class);

  private final ComputationGraphConfiguration configuration;

  private GraphInputShapes(ComputationGraphConfiguration configuration) {
    this.configuration = configuration;
  }

  static Shape of(ComputationGraphConfiguration configuration, String input) {
    return find(configuration, input)
        .orElseThrow(
            () ->
                Checks.violated(
                    "inputShapes", "tell the shape of input '" + input + "'", "no such shape"));
  }

  /** Returns the shape of an input, if the configuration tells it. */
  static Optional<Shape> find(ComputationGraphConfiguration configuration, String input) {
    return new GraphInputShapes(configuration).along(input, List.of());
  }

  /** Returns the best shape that any way from here tells, one with known channels if there is. */
  private Optional<Shape> along(String source, List<Object> path) {
    Optional<Shape> best = InputShapes.along(path);
    for (var vertex : configuration.getVertexInputs().entrySet()) {
      if (best.isPresent() && best.get().sizes().stream().anyMatch(size -> size > 0)) {
        return best;
      }
      if (vertex.getValue().contains(source)) {
        Optional<Shape> further = through(vertex.getKey(), source, path);
        best = further.isPresent() ? further : best;
      }
    }
    return best;
  }

  private Optional<Shape> through(String vertex, String source, List<Object> path) {
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
    } else if (kind instanceof MergeVertex) {
      longer.add(new InputShapes.ChannelChange(channelsBeside(source, vertex)));
    } else if (kind instanceof SubsetVertex) {
      longer.add(new InputShapes.ChannelChange(Shape.UNKNOWN));
    } else if (!(kind instanceof ElementWiseVertex
        || kind instanceof ScaleVertex
        || kind instanceof ShiftVertex)) {
      return InputShapes.along(longer); // others change the axes
    }
    return along(vertex, longer);
  }

  /** Returns how many channels a merge gets from others than {@code source}, -1 if unknown. */
  private int channelsBeside(String source, String merge) {
    int sum = 0;
    boolean met = false;
    for (String input : inputs(merge)) {
      boolean first = input.equals(source) && !met;
      met |= first;
      int channels = first ? 0 : channelsOf(input);
      if (channels == Shape.UNKNOWN) {
        return channels;
      }
      sum += channels;
    }
    return sum;
  }

  private int channelsOf(String vertex) {
    GraphVertex found = configuration.getVertices().get(vertex);
    GraphVertex kind = found == null ? null : VertexMappings.thawed(found);
    if (kind instanceof MergeVertex) {
      return channelsBeside("", vertex);
    }
    if (!(kind instanceof LayerVertex layer)) {
      return kind != null && KEEPING.contains(kind.getClass())
          ? channelsOf(inputs(vertex).get(0))
          : Shape.UNKNOWN;
    }
    Layer inside = LayerMappings.thawed(layer.getLayerConf().getLayer());
    if (inside instanceof FeedForwardLayer wide && wide.getNOut() > 0) {
      return Math.toIntExact(wide.getNOut());
    }
    return layer.getPreProcessor() == null && KEEPING.contains(inside.getClass())
        ? channelsOf(inputs(vertex).get(0))
        : Shape.UNKNOWN;
  }

  private List<String> inputs(String vertex) {
    return Objects.requireNonNull(configuration.getVertexInputs().get(vertex));
  }
}
