package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FakeQuantizedActivation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A copy of a network that gives the values before its last softmax or sigmoid; a network without
 * one gives its output.
 *
 * @param network the copy
 * @param index of the output that is meant
 * @param last where the activation was taken away
 */
record LogitsNetwork(Dl4jNetwork network, int index, Last last) {
  /** The activation that a network ended with. */
  enum Last {
    SOFTMAX,
    SIGMOID,
    OTHER
  }

  /** Copies a network for its output of this index. */
  static LogitsNetwork of(Model model, int index) {
    Dl4jNetwork copy = Dl4jNetwork.of(model).copy();
    for (Layer layer : lastLayers(copy.model(), index)) {
      org.deeplearning4j.nn.conf.layers.Layer configuration = layer.conf().getLayer();
      IActivation activation = function(activation(configuration));
      if (activation instanceof ActivationSoftmax || activation instanceof ActivationSigmoid) {
        setIdentity(configuration);
        return new LogitsNetwork(
            copy, index, activation instanceof ActivationSoftmax ? Last.SOFTMAX : Last.SIGMOID);
      }
      if (!isElementwise(configuration) || !(activation instanceof ActivationIdentity)) {
        break;
      }
    }
    return new LogitsNetwork(copy, index, Last.OTHER);
  }

  /** Returns the values, one row per example or one matrix per sequence. */
  INDArray output(INDArray... inputs) {
    return network.output(inputs).get(index);
  }

  /** Layers that hand through what they get, but for their activation. */
  private static boolean isElementwise(org.deeplearning4j.nn.conf.layers.Layer configuration) {
    return configuration instanceof ActivationLayer
        || configuration instanceof DropoutLayer
        || configuration instanceof LossLayer
        || configuration instanceof RnnLossLayer
        || configuration instanceof CnnLossLayer
        || configuration instanceof Cnn3DLossLayer;
  }

  private static IActivation activation(org.deeplearning4j.nn.conf.layers.Layer configuration) {
    if (configuration instanceof ActivationLayer alone) {
      return alone.getActivationFn();
    }
    return configuration instanceof BaseLayer layer
        ? layer.getActivationFn()
        : new ActivationIdentity();
  }

  private static IActivation function(IActivation activation) {
    return activation instanceof FakeQuantizedActivation quantized
        ? quantized.function()
        : activation;
  }

  /** Keeps the quantization of what goes into the function. */
  private static void setIdentity(org.deeplearning4j.nn.conf.layers.Layer configuration) {
    IActivation identity =
        activation(configuration) instanceof FakeQuantizedActivation quantized
            ? new FakeQuantizedActivation(
                new ActivationIdentity(), quantized.argument().orElse(null), null)
            : new ActivationIdentity();
    if (configuration instanceof ActivationLayer alone) {
      alone.setActivationFn(identity);
    } else if (configuration instanceof BaseLayer layer) {
      layer.setActivationFn(identity);
    }
  }

  /** Returns the layers from an output backwards, as far as each has one input. */
  static ImmutableList<Layer> lastLayers(Model model, int index) {
    ImmutableList.Builder<Layer> layers = ImmutableList.builder();
    if (model instanceof MultiLayerNetwork network) {
      for (int i = network.getnLayers() - 1; i >= 0; i--) {
        layers.add(network.getLayer(i));
      }
      return layers.build();
    }
    ComputationGraph graph = (ComputationGraph) model;
    String vertex = graph.getConfiguration().getNetworkOutputs().get(index);
    while (graph.getVertex(vertex) != null && graph.getVertex(vertex).hasLayer()) {
      layers.add(graph.getVertex(vertex).getLayer());
      List<String> inputs = graph.getConfiguration().getVertexInputs().get(vertex);
      if (inputs == null || inputs.size() != 1) {
        break;
      }
      vertex = inputs.get(0);
    }
    return layers.build();
  }
}
