package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keeps what a layer takes. At inference DL4J's {@code ActivationLayer} and {@code PReLULayer} put
 * what they give into the array that they take, so that {@code feedForward} shows the latter for
 * both.
 */
final class Overwriting {
  private Overwriting() {}

  /** Returns the array, or a copy if the layer would overwrite it. */
  static INDArray spared(org.deeplearning4j.nn.api.Layer layer, INDArray input) {
    Layer configuration = Dl4jLayer.unwrap(layer.conf().getLayer());
    return configuration instanceof ActivationLayer || configuration instanceof PReLULayer
        ? input.dup()
        : input;
  }
}
