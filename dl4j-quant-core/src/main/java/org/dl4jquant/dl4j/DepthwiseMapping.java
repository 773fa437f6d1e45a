package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.tensor.Tensor;

/** A convolution in which each output channel sees one input channel. */
final class DepthwiseMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    DepthwiseConvolution2D kind = layer.kind(DepthwiseConvolution2D.class);
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    Tensor kernels = layer.parameter("W"); // [height, width, in, multiplier]
    int channels = kernels.size(2);
    int outputs = channels * kernels.size(3);
    Tensor weight =
        Axes.permuted(kernels, 2, 3, 0, 1).reshape(outputs, 1, kernels.size(0), kernels.size(1));
    Convolution op = ConvolutionMapping.convolution(kind, weight, layer.bias(outputs), channels);
    Value image = ConvolutionMapping.image(layer, kind, input);
    return layer.weighted(op, "W", image, kind.getActivationFn());
  }
}
