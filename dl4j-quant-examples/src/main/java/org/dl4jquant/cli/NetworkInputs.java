package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.datafile.LabeledExamples;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Gives the arrays of a data file the shapes and the order in which a network takes them. */
final class NetworkInputs {
  private NetworkInputs() {}

  /**
   * Returns one array per input of the network.
   *
   * <p>An array is taken as it is, except that images of one channel may lack the channel axis, and
   * rows of numbers are laid out as square images where the first layer is a convolution.
   *
   * @throws CommandFailedException if an input has no array, or its shape does not fit
   */
  static ImmutableList<INDArray> of(Model network, LabeledExamples examples) {
    if (network instanceof ComputationGraph graph) {
      return graphInputs(graph, examples);
    }
    MultiLayerNetwork layers = (MultiLayerNetwork) network;
    INDArray only = examples.features().values().asList().get(0);
    InputPreProcessor before = layers.getLayerWiseConfigurations().getInputPreProcess(0);
    return ImmutableList.of(
        before == null
            ? shaped(layers.getLayer(0).conf().getLayer(), only, examples.source())
            : flattened(only));
  }

  /** Returns the names of the inputs of a network; {@code input} for a MultiLayerNetwork. */
  static List<String> names(Model network) {
    return network instanceof ComputationGraph graph
        ? graph.getConfiguration().getNetworkInputs()
        : ImmutableList.of("input");
  }

  private static ImmutableList<INDArray> graphInputs(
      ComputationGraph graph, LabeledExamples examples) {
    List<String> inputs = graph.getConfiguration().getNetworkInputs();
    ImmutableList.Builder<INDArray> arrays = ImmutableList.builder();
    List<INDArray> found = examples.features().values().asList();
    if (found.size() != inputs.size()) {
      throw new CommandFailedException(
          examples.source()
              + ": must have an array for each of the inputs "
              + inputs
              + ", as a .npz file can, found "
              + examples.features().keySet());
    }
    for (int i = 0; i < inputs.size(); i++) {
      arrays.add(graphInput(graph, inputs.get(i), found.get(i), examples.source()));
    }
    return arrays.build();
  }

  private static INDArray graphInput(
      ComputationGraph graph, String input, INDArray array, String source) {
    for (String consumer : graph.getConfiguration().getVertices().keySet()) {
      GraphVertex vertex = graph.getConfiguration().getVertices().get(consumer);
      if (vertex instanceof LayerVertex layer && inputsOf(graph, consumer).contains(input)) {
        return layer.getPreProcessor() == null
            ? shaped(layer.getLayerConf().getLayer(), array, source)
            : flattened(array);
      }
    }
    return array;
  }

  private static List<String> inputsOf(ComputationGraph graph, String vertex) {
    return graph.getConfiguration().getVertexInputs().getOrDefault(vertex, List.of());
  }

  /** A preprocessor in front of the first layer makes of rows what the layer wants. */
  private static INDArray flattened(INDArray array) {
    return array.rank() == 3 && array.size(1) == array.size(2)
        ? array.reshape(array.size(0), array.size(1) * array.size(2))
        : array;
  }

  private static INDArray shaped(Layer wrapped, INDArray array, String source) {
    Layer first = unwrap(wrapped);
    if (first instanceof ConvolutionLayer convolution && takesImages(convolution)) {
      return image(convolution, array, source);
    }
    if (first instanceof BaseRecurrentLayer recurrent) {
      boolean timeFirst = recurrent.getRnnDataFormat() == RNNFormat.NWC;
      long size = recurrent.getNIn();
      return require(
          array.rank() == 3 && array.size(timeFirst ? 2 : 1) == size,
          array,
          array,
          source,
          timeFirst ? "[examples, time, " + size + "]" : "[examples, " + size + ", time]");
    }
    if (first instanceof EmbeddingLayer && array.rank() == 1) {
      return array.reshape(array.size(0), 1);
    }
    if (first instanceof DenseLayer || first instanceof OutputLayer) {
      FeedForwardLayer dense = (FeedForwardLayer) first;
      INDArray rows = array.rank() > 2 ? array.reshape(array.size(0), -1) : array;
      return require(
          rows.rank() == 2 && rows.size(1) == dense.getNIn(),
          rows,
          array,
          source,
          "[examples, " + dense.getNIn() + "]");
    }
    return array;
  }

  private static Layer unwrap(Layer layer) {
    if (layer instanceof FrozenLayer frozen) {
      return unwrap(frozen.getLayer());
    }
    return layer instanceof BaseWrapperLayer wrapper ? unwrap(wrapper.getUnderlying()) : layer;
  }

  private static boolean takesImages(ConvolutionLayer layer) {
    return !(layer instanceof Convolution1DLayer
        || layer instanceof Convolution3D
        || layer instanceof Deconvolution3D);
  }

  private static INDArray image(ConvolutionLayer first, INDArray array, String source) {
    boolean channelsLast = first.getCnn2dDataFormat() == CNN2DFormat.NHWC;
    long channels = first.getNIn();
    INDArray image = array;
    if (array.rank() == 3 && channels == 1) {
      image = withChannels(array, channelsLast, 1, array.size(1), array.size(2));
    } else if (array.rank() == 2) {
      long side = Math.round(Math.sqrt(array.size(1) / (double) channels));
      if (side * side * channels == array.size(1)) {
        image = withChannels(array, channelsLast, channels, side, side);
      }
    }
    return require(
        image.rank() == 4 && image.size(channelsLast ? 3 : 1) == channels,
        image,
        array,
        source,
        channelsLast
            ? "[examples, height, width, " + channels + "]"
            : "[examples, " + channels + ", height, width]");
  }

  private static INDArray withChannels(
      INDArray array, boolean channelsLast, long channels, long height, long width) {
    return channelsLast
        ? array.reshape(array.size(0), height, width, channels)
        : array.reshape(array.size(0), channels, height, width);
  }

  /** Returns {@code shaped} if it fits, else says what was found and what was wanted. */
  private static INDArray require(
      boolean fits, INDArray shaped, INDArray found, String source, String shape) {
    if (!fits) {
      throw new CommandFailedException(
          source
              + ": features must have shape "
              + shape
              + " for this network, found "
              + Arrays.toString(found.shape()));
    }
    return shaped;
  }
}
