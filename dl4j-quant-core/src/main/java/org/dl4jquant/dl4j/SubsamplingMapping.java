package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Window;

/** Maximum and average pooling over images. */
final class SubsamplingMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    SubsamplingLayer kind = layer.kind(SubsamplingLayer.class);
    if (input.perStep()) {
      return layer.inFloat(LayerMapping.PER_STEP, input);
    }
    PoolingType type = kind.getPoolingType();
    if (type != PoolingType.MAX && type != PoolingType.AVG) {
      return layer.inFloat("pooling by " + type + " is computed in float", input);
    }
    Window window =
        new Window(
            ConvolutionMapping.extent(kind.getKernelSize()),
            ConvolutionMapping.extent(kind.getStride()),
            ConvolutionMapping.extent(kind.getDilation()),
            ConvolutionMapping.padding(kind.getConvolutionMode(), kind.getPadding()));
    Op op =
        type == PoolingType.MAX
            ? new MaxPool(window)
            : new AveragePool(window, kind.isAvgPoolIncludePadInDivisor());
    Value image = layer.spatial(input, kind.getCnn2dDataFormat() == CNN2DFormat.NHWC);
    return layer.add(op, image.layout(), image);
  }
}
