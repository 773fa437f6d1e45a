package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.LossLayer;

/** The activation function before a loss. */
final class LossMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    return layer.activate(layer.kind(LossLayer.class).getActivationFn(), input);
  }
}
