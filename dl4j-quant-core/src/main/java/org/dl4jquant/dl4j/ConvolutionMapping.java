package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Padding;

/** A two-dimensional convolution. */
final class ConvolutionMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    ConvolutionLayer kind = layer.kind(ConvolutionLayer.class);
    if (input.perStep()) {
      return layer.inFloat(LayerMapping.PER_STEP, input);
    }
    Value image = layer.spatial(input, kind.getCnn2dDataFormat() == CNN2DFormat.NHWC);
    var weight = layer.parameter("W");
    Convolution op =
        new Convolution(
            weight,
            layer.bias(weight.size(0)),
            extent(kind.getStride()),
            extent(kind.getDilation()),
            padding(kind.getConvolutionMode(), kind.getPadding()),
            1);
    return layer.weighted(op, "W", image, kind.getActivationFn());
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
