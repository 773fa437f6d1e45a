package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.ActivationLayer;

/** An activation function alone. */
final class ActivationMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    return layer.activate(layer.kind(ActivationLayer.class).getActivationFn(), input);
  }
}
