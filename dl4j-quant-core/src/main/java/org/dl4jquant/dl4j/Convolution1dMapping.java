package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.tensor.Tensor;

/** A convolution over time, as one over an image of height 1. */
final class Convolution1dMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    Convolution1DLayer kind = layer.kind(Convolution1DLayer.class);
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    Tensor weight = Axes.permuted(layer.parameter("W"), 2, 1, 0); // from [kernel, in, out]
    int outputs = weight.size(0);
    Convolution op =
        new Convolution(
            weight.reshape(outputs, weight.size(1), 1, weight.size(2)),
            layer.bias(outputs),
            new Extent(1, kind.getStride()[0]),
            new Extent(1, kind.getDilation()[0]),
            padding(kind.getConvolutionMode(), kind.getPadding()),
            1);
    Value sequence = layer.spatial(input, kind.getRnnDataFormat() == RNNFormat.NWC);
    return layer.weighted(op, "W", sequence, kind.getActivationFn());
  }

  static Padding padding(ConvolutionMode mode, int[] padding) {
    return ConvolutionMapping.padding(mode, new int[] {0, padding[0]});
  }
}
