package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** One feature that is no number leaves its example out, and nothing else. */
final class FiniteExamplesTest {
  private static MultiLayerNetwork pooled(CNN2DFormat format) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(
                    new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).name("p").build())
                .layer(
                    new ConvolutionLayer.Builder(3, 3)
                        .name("conv")
                        .nOut(4)
                        .activation(Activation.RELU)
                        .build())
                .layer(
                    new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).name("q").build())
                .layer(
                    new OutputLayer.Builder()
                        .name("out")
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(12, 12, 2, format))
                .build());
    network.init();
    return network;
  }

  private static INDArray images(CNN2DFormat format, int count) {
    Nd4j.getRandom().setSeed(9);
    return format == CNN2DFormat.NCHW
        ? Nd4j.rand(DataType.FLOAT, count, 2, 12, 12)
        : Nd4j.rand(DataType.FLOAT, count, 12, 12, 2);
  }

  private static INDArray rows(INDArray array, int from, int to) {
    return array
        .get(
            NDArrayIndex.interval(from, to),
            NDArrayIndex.all(),
            NDArrayIndex.all(),
            NDArrayIndex.all())
        .dup('c');
  }

  /** Whole windows of a maximum are broken, whose result is finite all the same. */
  private static INDArray broken(INDArray images, CNN2DFormat format) {
    INDArray broken = images.dup('c');
    int channelAxis = format == CNN2DFormat.NCHW ? 1 : 3;
    for (int h = 0; h < 6; h++) {
      for (int w = 0; w < 12; w++) {
        int[] index = channelAxis == 1 ? new int[] {7, 1, h, w} : new int[] {7, h, w, 1};
        broken.putScalar(index, Float.NaN);
      }
    }
    broken.putScalar(new int[] {0, 0, 0, 0}, Float.POSITIVE_INFINITY);
    broken.putScalar(new int[] {39, 1, 1, 1}, Float.NEGATIVE_INFINITY);
    return broken;
  }

  @Test
  void theOthersAreSeenAsIfTheyWereAlone() {
    for (CNN2DFormat format : CNN2DFormat.values()) {
      INDArray images = images(format, 40);
      INDArray good = Nd4j.concat(0, rows(images, 1, 7), rows(images, 8, 39));
      Calibration calibration = Calibration.of(Dl4jNetwork.of(pooled(format)));
      CalibrationResult expected = calibration.run(good);
      CalibrationResult found = calibration.run(broken(images, format));
      assertEquals(37, found.examples());
      assertEquals(3, found.leftOut());
      assertEquals(0, expected.leftOut());
      assertEquals(expected.profiles(), found.profiles());
      assertEquals(ImmutableMap.of(), found.nonFinite());
      assertEquals(
          List.of(
              "3 of 40 calibration examples have features that are NaN or infinite; they were left"
                  + " out"),
          found.warnings());
      assertEquals(found, calibration.run(broken(images, format).dup('f')));
      assertEquals(6, found.combine(found).leftOut());
    }
  }

  @Test
  void partsGiveTheSameAndProgressCountsAll() {
    CNN2DFormat format = CNN2DFormat.NCHW;
    INDArray broken = broken(images(format, 40), format);
    List<Long> progress = new ArrayList<>();
    Calibration calibration =
        Calibration.of(Dl4jNetwork.of(pooled(format))).withProgress(progress::add);
    CalibrationResult whole = calibration.run(broken);
    progress.clear();
    List<DataSet> examples = new DataSet(broken, Nd4j.zeros(40, 3)).asList();
    assertEquals(whole, calibration.run(new ListDataSetIterator<>(examples, 7)));
    assertEquals(40, progress.get(progress.size() - 1));
  }

  @Test
  void aNetworkConvertsAsWithoutThem() {
    CNN2DFormat format = CNN2DFormat.NCHW;
    INDArray images = images(format, 40);
    MultiLayerNetwork network = pooled(format);
    INDArray good = Nd4j.concat(0, rows(images, 1, 7), rows(images, 8, 39));
    QuantizedModel expected = Quantization.of(network).calibrate(good).convert();
    QuantizedModel found = Quantization.of(network).calibrate(broken(images, format)).convert();
    assertEquals(expected.activations(), found.activations());
    assertEquals(expected.output(images), found.output(images));
  }

  @Test
  void nothingButBrokenExamplesIsRefusedByName() {
    INDArray images = images(CNN2DFormat.NCHW, 3);
    for (int e = 0; e < 3; e++) {
      images.putScalar(new int[] {e, 0, e, 1}, Float.NaN);
    }
    MultiLayerNetwork network = pooled(CNN2DFormat.NCHW);
    assertEquals(
        "calibration data must hold an example whose features are finite, found NaN or infinity in"
            + " [input] of all 3 examples",
        assertThrows(
                IllegalArgumentException.class, () -> Quantization.of(network).calibrate(images))
            .getMessage());
  }

  @Test
  void anExampleIsLeftOutOfAllInputs() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs("left", "right")
                .setInputTypes(InputType.feedForward(5), InputType.feedForward(5))
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "left", "right")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                    "sum")
                .setOutputs("out")
                .build());
    network.init();
    INDArray left = Nd4j.rand(DataType.FLOAT, 6, 5);
    INDArray right = Nd4j.rand(DataType.FLOAT, 6, 5);
    INDArray expectedLeft = Nd4j.concat(0, left.getRows(0, 2, 3, 4));
    INDArray expectedRight = Nd4j.concat(0, right.getRows(0, 2, 3, 4));
    left.putScalar(1, 3, Float.NaN);
    right.putScalar(5, 0, Float.NaN);
    Calibration calibration = Calibration.of(Dl4jNetwork.of(network));
    CalibrationResult found =
        calibration.run(
            new SingletonMultiDataSetIterator(
                new MultiDataSet(new INDArray[] {left, right}, new INDArray[] {Nd4j.zeros(6, 3)})));
    assertEquals(2, found.leftOut());
    assertEquals(calibration.run(expectedLeft, expectedRight).profiles(), found.profiles());
    INDArray[] kept = FiniteExamples.of(left, right);
    assertEquals(expectedLeft, kept[0]);
    assertEquals(expectedRight, kept[1]);
  }

  private static final int TIME = 6;

  private static MultiLayerNetwork sequences(RNNFormat format) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .list()
                .layer(
                    new Convolution1DLayer.Builder(2)
                        .name("conv")
                        .nOut(4)
                        .rnnDataFormat(format)
                        .convolutionMode(org.deeplearning4j.nn.conf.ConvolutionMode.Causal)
                        .activation(Activation.TANH)
                        .build())
                .layer(
                    new RnnOutputLayer.Builder()
                        .name("out")
                        .nOut(2)
                        .dataFormat(format)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(3, TIME, format))
                .build());
    network.init();
    return network;
  }

  @Test
  void whatAMaskHidesBreaksNoExample() {
    for (RNNFormat format : RNNFormat.values()) {
      boolean last = format == RNNFormat.NWC;
      Calibration calibration = Calibration.of(Dl4jNetwork.of(sequences(format)));
      INDArray features =
          last ? Nd4j.rand(DataType.FLOAT, 4, TIME, 3) : Nd4j.rand(DataType.FLOAT, 4, 3, TIME);
      INDArray mask = Nd4j.ones(DataType.FLOAT, 4, TIME);
      INDArray zeroed = features.dup('c');
      INDArray hidden = features.dup('c');
      for (int t = 4; t < TIME; t++) {
        mask.putScalar(1, t, 0);
        for (int c = 0; c < 3; c++) {
          int[] index = last ? new int[] {1, t, c} : new int[] {1, c, t};
          zeroed.putScalar(index, 0);
          hidden.putScalar(index, Float.NaN);
        }
      }
      CalibrationResult expected = calibration.run(data(zeroed, mask));
      assertAlike(expected, calibration.run(data(hidden, mask)), format.name());
      assertEquals(0, expected.leftOut());
      hidden.putScalar(last ? new int[] {1, 3, 2} : new int[] {1, 2, 3}, Float.NaN);
      CalibrationResult seen = calibration.run(data(hidden, mask));
      assertEquals(1, seen.leftOut(), format.name());
      assertEquals(ImmutableMap.of(), seen.nonFinite());
      assertEquals(3, calibration.run(data(hidden, Nd4j.ones(4, TIME))).examples());
    }
  }

  /** Compares without a message that prints every histogram. */
  private static void assertAlike(
      CalibrationResult expected, CalibrationResult found, String what) {
    assertEquals(expected.examples(), found.examples(), what);
    assertEquals(expected.leftOut(), found.leftOut(), what);
    expected
        .profiles()
        .forEach(
            (node, profile) -> {
              assertEquals(
                  profile.whole().moments(),
                  found.profile(node).orElseThrow().whole().moments(),
                  what + " " + node);
              assertTrue(profile.equals(found.profile(node).orElseThrow()), what + " " + node);
            });
  }

  private static SingletonDataSetIterator data(INDArray features, INDArray mask) {
    return new SingletonDataSetIterator(new DataSet(features, Nd4j.zeros(4, 2, TIME), mask, mask));
  }

  @Test
  void finiteArraysAreReturnedAsTheyAre() {
    INDArray rows = Nd4j.rand(3, 2);
    assertSame(rows, FiniteExamples.of(rows)[0]);
    INDArray broken = rows.dup();
    broken.putColumn(1, Nd4j.valueArrayOf(3, Float.NaN));
    assertEquals(0, FiniteExamples.of(broken).length);
  }
}
