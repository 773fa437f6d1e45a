package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import java.util.Collection;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What both kinds of network have in common for a listener that works on parameters. */
final class NetworkParameters {
  private NetworkParameters() {}

  /** Returns whether this is a whole network, not a single layer in unsupervised pretraining. */
  static boolean isNetwork(Model model) {
    return model instanceof MultiLayerNetwork || model instanceof ComputationGraph;
  }

  /** Returns every parameter array of the network, in the order of its layers. */
  static ImmutableList<NetworkParameter> of(Model model) {
    ImmutableList.Builder<NetworkParameter> parameters = ImmutableList.builder();
    if (model instanceof MultiLayerNetwork network) {
      Layer[] layers = network.getLayers();
      for (int i = 0; i < layers.length; i++) {
        String name = layers[i].conf().getLayer().getLayerName();
        addAll(parameters, name == null ? String.valueOf(i) : name, layers[i]);
      }
    } else if (model instanceof ComputationGraph graph) {
      for (GraphVertex vertex : graph.getVertices()) {
        if (vertex.hasLayer()) {
          addAll(parameters, vertex.getVertexName(), vertex.getLayer());
        } else {
          addAll(parameters, vertex);
        }
      }
    } else {
      throw new IllegalArgumentException(
          "model must be a MultiLayerNetwork or a ComputationGraph, found "
              + model.getClass().getName());
    }
    return parameters.build();
  }

  private static void addAll(
      ImmutableList.Builder<NetworkParameter> parameters, String name, Layer layer) {
    Map<String, INDArray> table = layer.paramTable();
    if (table == null) {
      return;
    }
    org.deeplearning4j.nn.conf.layers.Layer configuration = layer.conf().getLayer();
    ParamInitializer initializer = configuration.initializer();
    boolean frozen = layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop;
    table.forEach(
        (key, array) ->
            parameters.add(
                new NetworkParameter(
                    name,
                    key,
                    array,
                    initializer.isWeightParam(configuration, key),
                    initializer.isBiasParam(configuration, key),
                    frozen)));
  }

  /** A vertex with parameters of its own does not say which are weights: matrices are. */
  private static void addAll(
      ImmutableList.Builder<NetworkParameter> parameters, GraphVertex vertex) {
    Map<String, INDArray> table = vertex.paramTable(false);
    if (table != null) {
      table.forEach(
          (key, array) ->
              parameters.add(
                  new NetworkParameter(
                      vertex.getVertexName(), key, array, isMatrix(array), false, false)));
    }
  }

  private static boolean isMatrix(INDArray array) {
    int axes = 0;
    for (long size : array.shape()) {
      axes += size > 1 ? 1 : 0;
    }
    return axes >= 2;
  }

  /** Returns the gradient of all parameters as one vector, or null if there is none yet. */
  static @Nullable INDArray flatGradient(Model model) {
    Gradient gradient = model.gradient();
    return gradient == null ? null : gradient.gradient();
  }

  /** Returns the listeners of the network. */
  static Collection<TrainingListener> listeners(Model model) {
    return model instanceof MultiLayerNetwork network
        ? network.getListeners()
        : ((ComputationGraph) model).getListeners();
  }

  /** Adds a listener to those that the network has. */
  static void addListener(Model model, TrainingListener listener) {
    if (model instanceof MultiLayerNetwork network) {
      network.addListeners(listener);
    } else {
      ((ComputationGraph) model).addListeners(listener);
    }
  }
}
