package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;

/** An activation function over the channels at each position of an image. */
final class ImageLossMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    CnnLossLayer kind = layer.kind(CnnLossLayer.class);
    if (input.perStep() || !Activations.hasNode(kind.getActivationFn())) {
      return layer.inFloat("its activation function has no integer form", input);
    }
    Value image = layer.spatial(input, kind.getFormat() == CNN2DFormat.NHWC);
    Value channelwise = new Value(image.node(), Layout.CHANNELS_LAST);
    return image.at(layer.activate(kind.getActivationFn(), channelwise).node());
  }
}
