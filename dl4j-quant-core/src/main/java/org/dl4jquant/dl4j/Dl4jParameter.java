package org.dl4jquant.dl4j;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One parameter of a network.
 *
 * @param layer the name of its layer
 * @param key DL4J's key within the layer, such as {@code W}
 * @param value the live array: a write to it changes the network
 * @param layout what it is
 */
public record Dl4jParameter(String layer, String key, INDArray value, ParameterLayout layout) {
  /** Returns a name that is unique in the network, {@code layer/key}. */
  public String name() {
    return layer + "/" + key;
  }

  /** Returns whether it is a weight or a recurrent weight. */
  public boolean isWeight() {
    return layout.role() == ParameterRole.WEIGHT;
  }
}
