package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.ZeroPad;

/** What moves elements and computes nothing: padding with zeros, cropping and upsampling. */
final class BorderMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    if (input.perStep()) {
      return layer.inFloat(PER_STEP, input);
    }
    Layer kind = layer.kind(Layer.class);
    Value value = layer.spatial(input, format(kind) == CNN2DFormat.NHWC);
    return layer.add(op(kind), value.layout(), value);
  }

  /** DL4J knows the layers for sequences with the time last only. */
  private static CNN2DFormat format(Layer kind) {
    if (kind instanceof ZeroPaddingLayer padding) {
      return padding.getDataFormat();
    }
    if (kind instanceof Cropping2D cropping) {
      return cropping.getDataFormat();
    }
    return kind instanceof Upsampling2D upsampling ? upsampling.getFormat() : CNN2DFormat.NCHW;
  }

  private static Op op(Layer kind) {
    if (kind instanceof ZeroPaddingLayer padding) {
      return new ZeroPad(image(padding.getPadding()));
    }
    if (kind instanceof ZeroPadding1DLayer padding) {
      return new ZeroPad(sequence(padding.getPadding()));
    }
    if (kind instanceof Cropping2D cropping) {
      return new Crop(image(cropping.getCropping()));
    }
    if (kind instanceof Cropping1D cropping) {
      return new Crop(sequence(cropping.getCropping()));
    }
    return kind instanceof Upsampling1D upsampling
        ? new Upsample(new Extent(1, upsampling.getSize()[0]))
        : new Upsample(ConvolutionMapping.extent(((Upsampling2D) kind).getSize()));
  }

  /** From top, bottom, left, right. */
  private static Padding.Explicit image(int[] amounts) {
    return new Padding.Explicit(amounts[0], amounts[2], amounts[1], amounts[3]);
  }

  private static Padding.Explicit sequence(int[] amounts) {
    return new Padding.Explicit(0, amounts[0], 0, amounts[1]);
  }
}
