package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.tensor.Tensor;

/** A two-dimensional convolution. */
final class ConvolutionMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    ConvolutionLayer kind = layer.kind(ConvolutionLayer.class);
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    Tensor weight = layer.parameter("W");
    Convolution op = convolution(kind, weight, layer.bias(weight.size(0)), 1);
    return layer.weighted(op, "W", image(layer, kind, input), kind.getActivationFn());
  }

  /** Returns the operation with the strides, dilation and padding of {@code kind}. */
  static Convolution convolution(ConvolutionLayer kind, Tensor weight, Tensor bias, int groups) {
    return new Convolution(
        weight,
        bias,
        extent(kind.getStride()),
        extent(kind.getDilation()),
        padding(kind.getConvolutionMode(), kind.getPadding()),
        groups);
  }

  /** Returns the input with its channels in front. */
  static Value image(LayerScope layer, ConvolutionLayer kind, Value input) {
    return layer.spatial(input, kind.getCnn2dDataFormat() == CNN2DFormat.NHWC);
  }

  static Extent extent(int[] size) {
    return new Extent(size[0], size[1]);
  }

  static Padding padding(ConvolutionMode mode, int[] padding) {
    return switch (mode) {
      case Same -> Padding.SAME;
      case Causal -> Padding.CAUSAL;
      case Strict, Truncate -> Padding.symmetric(padding[0], padding[1]);
    };
  }
}
