package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.dl4jquant.graph.Softmax;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;

/** An activation function over the channels at each position of an image. */
final class ImageLossMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    CnnLossLayer kind = layer.kind(CnnLossLayer.class);
    if (input.perStep() || !Activations.hasNode(kind.getActivationFn())) {
      return layer.inFloat("its activation function has no integer form", input);
    }
    Value image = layer.spatial(input, kind.getFormat() == CNN2DFormat.NHWC);
    // DL4J's own runs over rows of channels, whatever the format
    return kind.getActivationFn() instanceof ActivationSoftmax
        ? layer.add(new Softmax(), image.layout(), image)
        : layer.activate(kind.getActivationFn(), image);
  }
}
