package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
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
  static Dl4jLayer of(String name, org.deeplearning4j.nn.api.Layer layer, boolean frozen) {
    Layer bare = unwrap(layer.conf().getLayer());
    ImmutableList.Builder<Dl4jParameter> list = ImmutableList.builder();
    layer
        .paramTable(false)
        .forEach(
            (key, value) ->
                list.add(
                    new Dl4jParameter(
                        name, key, value, ParameterLayout.of(bare, key, value.shape()))));
    return new Dl4jLayer(
        name,
        bare.getClass().getSimpleName(),
        Optional.of(bare),
        frozen || isFrozen(layer),
        list.build());
  }

  static Dl4jLayer of(
      String name, GraphVertex vertex, boolean frozen, Map<String, INDArray> parameters) {
    ImmutableList.Builder<Dl4jParameter> list = ImmutableList.builder();
    parameters.forEach(
        (key, value) ->
            list.add(
                new Dl4jParameter(
                    name,
                    key,
                    value,
                    vertex instanceof SameDiffVertex known
                        ? ParameterLayout.of(known, key, value.shape())
                        : ParameterLayout.other(
                            "nothing is known about this kind of vertex", value.shape()))));
    return new Dl4jLayer(
        name, vertex.getClass().getSimpleName(), Optional.empty(), frozen, list.build());
  }

  /** Returns the number of weights, without biases and statistics. */
  public long weightCount() {
    return parameters.stream()
        .filter(Dl4jParameter::isWeight)
        .mapToLong(parameter -> parameter.value().length())
        .sum();
  }

  /** Removes the wrappers that add behavior but no parameters. */
  /** Returns the layer inside all wrappers. */
  public static Layer unwrap(Layer layer) {
    if (layer instanceof FrozenLayer frozen) {
      return unwrap(frozen.getLayer());
    }
    return layer instanceof BaseWrapperLayer wrapper ? unwrap(wrapper.getUnderlying()) : layer;
  }

  /** Asks the layer itself: the configuration that it gives away is that of the layer inside. */
  private static boolean isFrozen(org.deeplearning4j.nn.api.Layer layer) {
    return layer instanceof org.deeplearning4j.nn.layers.FrozenLayer
        || layer instanceof FrozenLayerWithBackprop
        || (layer instanceof org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer wrapper
            && isFrozen(wrapper.getUnderlying()));
  }
}
