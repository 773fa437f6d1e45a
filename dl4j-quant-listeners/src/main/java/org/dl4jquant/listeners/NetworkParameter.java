package org.dl4jquant.listeners;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One parameter array of a network.
 *
 * @param layer the layer's name
 * @param parameter DL4J's key within the layer, such as {@code W}
 * @param array the array itself, not a copy
 * @param weight whether it multiplies activations; biases and running statistics do not
 * @param bias whether it is added to activations
 * @param frozen whether training leaves it alone
 */
record NetworkParameter(
    String layer, String parameter, INDArray array, boolean weight, boolean bias, boolean frozen) {
  /** Returns for example {@code dense.W}. */
  String name() {
    return layer + "." + parameter;
  }
}
