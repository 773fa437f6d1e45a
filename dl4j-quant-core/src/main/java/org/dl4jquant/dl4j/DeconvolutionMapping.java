package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.tensor.Tensor;

/** A transposed convolution. */
final class DeconvolutionMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    Deconvolution2D kind = layer.kind(Deconvolution2D.class);
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    Tensor weight = Axes.permuted(layer.parameter("W"), 1, 0, 2, 3); // from [in, out, …]
    Deconvolution op =
        new Deconvolution(
            weight,
            layer.bias(weight.size(0)),
            ConvolutionMapping.extent(kind.getStride()),
            ConvolutionMapping.extent(kind.getDilation()),
            ConvolutionMapping.padding(kind.getConvolutionMode(), kind.getPadding()));
    Value image = ConvolutionMapping.image(layer, kind, input);
    return layer.weighted(op, "W", image, kind.getActivationFn());
  }
}
