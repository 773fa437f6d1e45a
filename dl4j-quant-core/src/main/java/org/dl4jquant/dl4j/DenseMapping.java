package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;

/**
 * A fully connected layer; for each step of a sequence it is a convolution with a 1 by 1 kernel.
 */
final class DenseMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    FeedForwardLayer kind = layer.kind(FeedForwardLayer.class);
    if (kind instanceof DenseLayer dense && dense.isHasLayerNorm()) {
      return layer.inFloat("its sums are normalized over the layer", input);
    }
    if (input.has(Layout.FOLDED) && layer.shape(input).rank() == 2) {
      return map(layer, layer.steps(input));
    }
    boolean sequence = input.has(Layout.STEPS);
    if (layer.shape(input).rank() != (sequence ? 2 : 1)) {
      return layer.inFloat("its input is not a vector", input);
    }
    return layer.weighted(op(layer, sequence), "W", input, kind.getActivationFn());
  }

  /** Returns the sums of the layer {@code W [in, out]}. */
  static Weighted op(LayerScope layer, boolean sequence) {
    Tensor weight = Axes.permuted(layer.parameter("W"), 1, 0);
    Tensor bias = layer.bias(weight.size(0));
    return sequence
        ? Convolution.of(weight.reshape(weight.size(0), weight.size(1), 1, 1), bias, Padding.NONE)
        : new Dense(weight, bias);
  }
}
