package org.dl4jquant.dl4j;

import static org.dl4jquant.dl4j.GraphComparison.checkLayer;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

/** Every kind of layer that takes sequences, in both formats where DL4J has both. */
class SequenceLayersTest {
  private static final RNNFormat[] FORMATS = {RNNFormat.NCW, RNNFormat.NWC};

  private static void check(InputType input, Layer... layers) {
    NetworkImage image = checkLayer(input, layers);
    assertEquals(ImmutableMap.of(), image.floatReasons(), () -> List.of(layers).toString());
  }

  @Test
  void convolutions() {
    for (RNNFormat format : FORMATS) {
      for (ConvolutionMode mode : ConvolutionMode.values()) {
        for (int[] window : new int[][] {{3, 1, 1, 0}, {3, 1, 2, 0}, {2, 2, 1, 1}, {4, 3, 1, 2}}) {
          if (mode == ConvolutionMode.Strict && window[1] > 1) {
            continue;
          }
          boolean padded = mode == ConvolutionMode.Truncate || mode == ConvolutionMode.Strict;
          check(
              InputType.recurrent(3, 11, format),
              new Convolution1DLayer.Builder(window[0])
                  .stride(window[1])
                  .dilation(window[2])
                  .padding(padded ? window[3] : 0)
                  .convolutionMode(mode)
                  .rnnDataFormat(format)
                  .activation(Activation.TANH)
                  .nOut(4)
                  .build());
        }
      }
    }
  }

  @Test
  void pooling() {
    for (PoolingType type : List.of(PoolingType.MAX, PoolingType.AVG)) {
      check(
          InputType.recurrent(3, 11),
          new Subsampling1DLayer.Builder(type).kernelSize(3).stride(2).build());
      check(
          InputType.recurrent(3, 11),
          new Subsampling1DLayer.Builder(type)
              .kernelSize(3)
              .stride(2)
              .convolutionMode(ConvolutionMode.Same)
              .build());
      for (RNNFormat format : FORMATS) {
        check(
            InputType.recurrent(3, 11, format),
            new Convolution1DLayer.Builder(2).rnnDataFormat(format).nOut(4).build(),
            new GlobalPoolingLayer(type));
      }
    }
  }

  @Test
  void bordersAndUpsampling() {
    InputType input = InputType.recurrent(3, 11);
    check(input, new ZeroPadding1DLayer.Builder(1, 2).build());
    check(input, new Cropping1D.Builder(2, 1).build());
    check(input, new Upsampling1D.Builder(3).build());
  }

  @Test
  void denseLayersAtEachStep() {
    InputType input = InputType.recurrent(3, 5);
    DenseLayer dense = new DenseLayer.Builder().activation(Activation.RELU).nOut(4).build();
    check(input, dense.clone());
    check(
        input,
        dense.clone(),
        new OutputLayer.Builder().activation(Activation.SOFTMAX).nOut(2).build());
    check(
        input,
        dense.clone(),
        new RnnOutputLayer.Builder().activation(Activation.SOFTMAX).nOut(2).build());
    check(input, new TimeDistributed(dense.clone()));
    check(input, dense.clone(), new BatchNormalization());
  }

  @Test
  void outputs() {
    for (RNNFormat format : FORMATS) {
      for (Activation activation :
          List.of(Activation.SOFTMAX, Activation.SIGMOID, Activation.IDENTITY)) {
        RnnOutputLayer output = new RnnOutputLayer.Builder().activation(activation).nOut(4).build();
        output.setRnnDataFormat(format);
        check(InputType.recurrent(3, 5, format), output);
        RnnLossLayer loss = new RnnLossLayer.Builder().activation(activation).build();
        loss.setRnnDataFormat(format);
        check(InputType.recurrent(3, 5, format), loss);
      }
    }
  }

  @Test
  void repeatedVector() {
    check(
        InputType.feedForward(4),
        new DenseLayer.Builder().nOut(3).build(),
        new RepeatVector.Builder<>(5).build(),
        new Convolution1DLayer.Builder(2).nOut(2).build());
  }

  @Test
  void softmaxOverTimeIsDl4js() {
    check(
        InputType.recurrent(3, 7),
        new Convolution1DLayer.Builder(2).activation(Activation.SOFTMAX).nOut(4).build());
  }
}
