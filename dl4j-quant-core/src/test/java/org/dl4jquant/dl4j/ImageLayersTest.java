package org.dl4jquant.dl4j;

import static org.dl4jquant.dl4j.GraphComparison.checkLayer;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

/** Every kind of layer that takes images, alone and before a dense layer, in both formats. */
class ImageLayersTest {
  private static final CNN2DFormat[] FORMATS = {CNN2DFormat.NCHW, CNN2DFormat.NHWC};

  /** In front of a dense layer, so that the order of its output's elements matters. */
  private static void check(Layer layer, CNN2DFormat format) {
    NetworkImage image =
        checkLayer(
            InputType.convolutional(7, 8, 2, format),
            layer,
            new DenseLayer.Builder().nOut(3).build());
    assertEquals(ImmutableMap.of(), image.floatReasons(), layer::toString);
  }

  /** Alone, so that input and output have DL4J's layout. */
  private static void checkAlone(Layer layer, CNN2DFormat format) {
    NetworkImage image = checkLayer(InputType.convolutional(4, 5, 3, format), layer);
    assertEquals(ImmutableMap.of(), image.floatReasons(), layer::toString);
  }

  private static void checkBehindPooling(Layer layer, CNN2DFormat format) {
    Layer pooling = new SubsamplingLayer.Builder().kernelSize(2, 2).dataFormat(format).build();
    checkLayer(InputType.convolutional(4, 5, 3, format), pooling, layer);
  }

  private interface Windowed {
    Layer layer(int[] kernel, int[] stride, int[] padding, int dilation, ConvolutionMode mode);
  }

  private static void checkWindows(Windowed kind) {
    int[][][] windows = { // kernel, stride, padding
      {{3, 2}, {1, 1}, {0, 0}}, {{3, 3}, {2, 3}, {1, 2}}, {{2, 3}, {2, 1}, {1, 0}}
    };
    for (int[][] window : windows) {
      for (int dilation : new int[] {1, 2}) {
        for (ConvolutionMode mode :
            List.of(ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict)) {
          boolean divides = window[1][0] == 1 && window[1][1] == 1;
          if (mode != ConvolutionMode.Strict || divides) {
            for (CNN2DFormat format : FORMATS) {
              int[] padding = mode == ConvolutionMode.Same ? new int[2] : window[2];
              check(kind.layer(window[0], window[1], padding, dilation, mode), format);
            }
          }
        }
      }
    }
  }

  private static <B extends ConvolutionLayer.BaseConvBuilder<B>> B set(
      B builder, int[] kernel, int[] stride, int[] padding, int dilation, ConvolutionMode mode) {
    builder.kernelSize(kernel).stride(stride).padding(padding).convolutionMode(mode);
    return builder.dilation(dilation, dilation);
  }

  @Test
  void convolutions() {
    checkWindows(
        (kernel, stride, padding, dilation, mode) ->
            set(new ConvolutionLayer.Builder(), kernel, stride, padding, dilation, mode)
                .activation(Activation.RELU)
                .nOut(3)
                .build());
    check(new ConvolutionLayer.Builder(2, 2).nOut(3).hasBias(false).build(), CNN2DFormat.NHWC);
  }

  @Test
  void depthwiseConvolutions() {
    checkWindows(
        (kernel, stride, padding, dilation, mode) ->
            set(new DepthwiseConvolution2D.Builder(), kernel, stride, padding, dilation, mode)
                .depthMultiplier(2)
                .build());
  }

  @Test
  void separableConvolutions() {
    checkWindows(
        (kernel, stride, padding, dilation, mode) ->
            set(new SeparableConvolution2D.Builder(), kernel, stride, padding, dilation, mode)
                .depthMultiplier(2)
                .activation(Activation.TANH)
                .nOut(3)
                .build());
  }

  @Test
  void deconvolutions() {
    checkWindows(
        (kernel, stride, padding, dilation, mode) ->
            set(new Deconvolution2D.Builder(), kernel, stride, padding, dilation, mode)
                .activation(Activation.SIGMOID)
                .nOut(3)
                .build());
  }

  @Test
  void pooling() {
    for (PoolingType type : List.of(PoolingType.MAX, PoolingType.AVG)) {
      for (boolean counts : new boolean[] {false, true}) {
        checkWindows(
            (kernel, stride, padding, dilation, mode) -> {
              SubsamplingLayer layer =
                  new SubsamplingLayer.Builder(type)
                      .kernelSize(kernel)
                      .stride(stride)
                      .padding(padding)
                      .dilation(type == PoolingType.MAX ? dilation : 1, dilation)
                      .convolutionMode(mode)
                      .build();
              layer.setAvgPoolIncludePadInDivisor(counts);
              return layer;
            });
      }
    }
  }

  @Test
  void globalPooling() {
    for (PoolingType type : List.of(PoolingType.MAX, PoolingType.AVG, PoolingType.SUM)) {
      for (CNN2DFormat format : FORMATS) {
        check(new GlobalPoolingLayer(type), format);
      }
    }
    checkAlone(
        new GlobalPoolingLayer.Builder(PoolingType.AVG).collapseDimensions(false).build(),
        CNN2DFormat.NCHW);
  }

  @Test
  void bordersAndUpsampling() {
    for (CNN2DFormat format : FORMATS) {
      ZeroPaddingLayer padding = new ZeroPaddingLayer.Builder(1, 2, 3, 0).build();
      padding.setDataFormat(format);
      check(padding, format);
      check(new Cropping2D.Builder(1, 2, 0, 3).dataFormat(format).build(), format);
      check(new Upsampling2D.Builder().size(new int[] {2, 3}).dataFormat(format).build(), format);
    }
  }

  @Test
  void batchNormalization() {
    for (CNN2DFormat format : FORMATS) {
      for (boolean logarithm : new boolean[] {true, false}) {
        checkBehindPooling(
            new BatchNormalization.Builder()
                .useLogStd(logarithm)
                .eps(1e-3)
                .activation(Activation.TANH)
                .build(),
            format);
      }
      for (double[] constants : new double[][] {{1, 0}, {2, 0}, {1, 0.5}, {2, 0.5}}) {
        checkBehindPooling(
            new BatchNormalization.Builder(true).gamma(constants[0]).beta(constants[1]).build(),
            format);
      }
    }
  }

  @Test
  void lossesAndSoftmaxes() {
    for (CNN2DFormat format : FORMATS) {
      CnnLossLayer loss = new CnnLossLayer.Builder().activation(Activation.SOFTMAX).build();
      loss.setFormat(format);
      checkAlone(loss, format);
      checkAlone(new ConvolutionLayer.Builder(2, 2).nOut(3).build(), format);
      check(
          new ConvolutionLayer.Builder(2, 2).nOut(3).activation(Activation.SOFTMAX).build(),
          format);
    }
  }

  @Test
  void separableConvolutionOfOneChannelIsItsDepthwiseHalfAlone() {
    InputType one = InputType.convolutional(5, 6, 1);
    SeparableConvolution2D layer =
        new SeparableConvolution2D.Builder(3, 3).depthMultiplier(3).nOut(3).build();
    MultiLayerNetwork network = GraphComparison.network(one, layer);
    GraphComparison.check(network, GraphComparison.random(2, 3, 1, 5, 6));
    FoldedNetwork folded = FoldedNetwork.of(Dl4jNetwork.of(network));
    folded.requireSame(Dl4jNetwork.of(network), 1e-5, GraphComparison.random(2, 3, 1, 5, 6));
    assertEquals(ImmutableSet.of(), folded.split());
  }
}
