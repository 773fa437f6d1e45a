package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import java.util.Collection;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.ParameterRole;
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
    for (Dl4jLayer layer : Dl4jNetwork.of(model).layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        parameters.add(
            new NetworkParameter(
                layer.name(),
                parameter.key(),
                parameter.value(),
                parameter.layout().shape(),
                parameter.layout().role() == ParameterRole.WEIGHT,
                parameter.layout().role() == ParameterRole.BIAS,
                layer.frozen()));
      }
    }
    return parameters.build();
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

  /**
   * Returns a copy of the fine weights of a parameter, if a listener of the network carries it on a
   * coarse grid.
   */
  static Optional<INDArray> fineWeights(Model model, String layer, String parameter) {
    return listeners(model).stream()
        .filter(LimitedPrecisionListener.class::isInstance)
        .map(LimitedPrecisionListener.class::cast)
        .filter(listener -> listener.carries(model))
        .flatMap(listener -> listener.fineWeights(layer, parameter).stream())
        .findFirst();
  }
}
