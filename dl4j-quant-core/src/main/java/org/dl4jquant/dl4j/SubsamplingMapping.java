package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Window;

/** Maximum and average pooling over images or sequences. */
final class SubsamplingMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    SubsamplingLayer kind = layer.kind(SubsamplingLayer.class);
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    PoolingType type = kind.getPoolingType();
    if (type != PoolingType.MAX && type != PoolingType.AVG) {
      return layer.inFloat("pooling by " + type + " is computed in float", input);
    }
    boolean sequence = kind instanceof Subsampling1DLayer;
    Window window = sequence ? overTime(kind) : overImage(kind);
    Op op =
        type == PoolingType.MAX
            ? new MaxPool(window)
            : new AveragePool(window, kind.isAvgPoolIncludePadInDivisor());
    boolean last = !sequence && kind.getCnn2dDataFormat() == CNN2DFormat.NHWC;
    Value value = layer.spatial(input, last);
    return layer.add(op, value.layout(), value);
  }

  private static Window overImage(SubsamplingLayer kind) {
    return new Window(
        ConvolutionMapping.extent(kind.getKernelSize()),
        ConvolutionMapping.extent(kind.getStride()),
        ConvolutionMapping.extent(kind.getDilation()),
        ConvolutionMapping.padding(kind.getConvolutionMode(), kind.getPadding()));
  }

  private static Window overTime(SubsamplingLayer kind) {
    return new Window(
        new Extent(1, kind.getKernelSize()[0]),
        new Extent(1, kind.getStride()[0]),
        new Extent(1, kind.getDilation()[0]),
        Convolution1dMapping.padding(kind.getConvolutionMode(), kind.getPadding()));
  }
}
