package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One layer of a network, or a vertex of a graph that has parameters of its own.
 *
 * @param name DL4J's name, unique in the network
 * @param kind the simple name of DL4J's configuration class, wrappers removed
 * @param configuration the configuration, wrappers removed; absent for a vertex that is not a layer
 * @param frozen whether training leaves the parameters alone
 * @param parameters in DL4J's order; empty if it has none
 */
public record Dl4jLayer(
    String name,
    String kind,
    Optional<Layer> configuration,
    boolean frozen,
    ImmutableList<Dl4jParameter> parameters) {
  /**
   * Returns the view of a layer.
   *
   * @param layer the layer itself: the configuration it shows may lack the wrapper that freezes it
   */
  static Dl4jLayer of(String name, org.deeplearning4j.nn.api.Layer layer) {
    Layer configuration = layer.conf().getLayer();
    Map<String, INDArray> parameters = layer.paramTable(false);
    Layer bare = unwrap(configuration);
    ImmutableList.Builder<Dl4jParameter> list = ImmutableList.builder();
    parameters.forEach(
        (key, value) ->
            list.add(
                new Dl4jParameter(name, key, value, ParameterLayout.of(bare, key, value.rank()))));
    return new Dl4jLayer(
        name,
        bare.getClass().getSimpleName(),
        Optional.of(bare),
        isFrozen(layer) || isFrozen(configuration),
        list.build());
  }

  static Dl4jLayer vertex(String name, String kind, Map<String, INDArray> parameters) {
    ImmutableList.Builder<Dl4jParameter> list = ImmutableList.builder();
    parameters.forEach(
        (key, value) ->
            list.add(
                new Dl4jParameter(
                    name,
                    key,
                    value,
                    ParameterLayout.other("a vertex that is not a layer keeps its parameters"))));
    return new Dl4jLayer(name, kind, Optional.empty(), false, list.build());
  }

  /** Returns the number of weights, without biases and statistics. */
  public long weightCount() {
    return parameters.stream()
        .filter(Dl4jParameter::isWeight)
        .mapToLong(parameter -> parameter.value().length())
        .sum();
  }

  /** Removes the wrappers that add behavior but no parameters. */
  private static Layer unwrap(Layer layer) {
    if (layer instanceof FrozenLayer frozen) {
      return unwrap(frozen.getLayer());
    }
    return layer instanceof BaseWrapperLayer wrapper ? unwrap(wrapper.getUnderlying()) : layer;
  }

  private static boolean isFrozen(org.deeplearning4j.nn.api.Layer layer) {
    if (layer instanceof org.deeplearning4j.nn.layers.FrozenLayer
        || layer instanceof org.deeplearning4j.nn.layers.FrozenLayerWithBackprop) {
      return true;
    }
    return layer instanceof org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer wrapper
        && isFrozen(wrapper.getUnderlying());
  }

  private static boolean isFrozen(Layer layer) {
    if (layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop) {
      return true;
    }
    return layer instanceof BaseWrapperLayer wrapper && isFrozen(wrapper.getUnderlying());
  }
}
