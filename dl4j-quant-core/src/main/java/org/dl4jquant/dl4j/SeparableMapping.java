package org.dl4jquant.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.tensor.Tensor;

/**
 * A depthwise convolution without bias, X/depthwise, and one with a 1 by 1 kernel behind it. Of a
 * single input channel DL4J computes the depthwise half alone, with the bias.
 */
final class SeparableMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    SeparableConvolution2D kind = layer.kind(SeparableConvolution2D.class);
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    Tensor kernels = layer.parameter("W"); // [multiplier, in, height, width]
    int between = kernels.size(0) * kernels.size(1);
    Tensor weight =
        Axes.permuted(kernels, 1, 0, 2, 3).reshape(between, 1, kernels.size(2), kernels.size(3));
    if (kernels.size(1) == 1) {
      Convolution alone =
          ConvolutionMapping.convolution(kind, weight, layer.bias(between), kernels.size(1));
      return layer.weighted(
          alone, "W", ConvolutionMapping.image(layer, kind, input), kind.getActivationFn());
    }
    Convolution depthwise =
        ConvolutionMapping.convolution(kind, weight, Tensor.zeros(between), kernels.size(1));
    Value image = ConvolutionMapping.image(layer, kind, input);
    Value middle = layer.add("depthwise", depthwise, image.layout(), image);
    layer.weights(middle, "W", Optional.empty());
    Tensor pointwise = layer.parameter("pW");
    Convolution mix = Convolution.of(pointwise, layer.bias(pointwise.size(0)), Padding.NONE);
    return layer.weighted(mix, "pW", middle, kind.getActivationFn());
  }
}
