package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableSet;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A masked step must not count: the result is that of sequences cut to their length. */
final class MaskedCalibrationTest {
  private static final int FEATURES = 3;
  private static final int[] LENGTHS = {5, 2, 7, 1, 7, 3};
  private static final int TIME = 7;

  private static final INDArray SEQUENCES = sequences();
  private static final INDArray MASK = mask();

  private static INDArray sequences() {
    Random random = new Random(8);
    INDArray array = Nd4j.create(DataType.FLOAT, LENGTHS.length, FEATURES, TIME);
    for (int b = 0; b < LENGTHS.length; b++) {
      for (int c = 0; c < FEATURES; c++) {
        for (int t = 0; t < TIME; t++) {
          float padding = 100; // would widen every profile
          array.putScalar(b, c, t, t < LENGTHS[b] ? random.nextGaussian() : padding);
        }
      }
    }
    return array;
  }

  private static INDArray mask() {
    INDArray array = Nd4j.zeros(DataType.FLOAT, LENGTHS.length, TIME);
    for (int b = 0; b < LENGTHS.length; b++) {
      for (int t = 0; t < LENGTHS[b]; t++) {
        array.putScalar(b, t, 1);
      }
    }
    return array;
  }

  private static INDArray cut(int example) {
    return SEQUENCES
        .get(
            NDArrayIndex.interval(example, example + 1),
            NDArrayIndex.all(),
            NDArrayIndex.interval(0, LENGTHS[example]))
        .dup('c');
  }

  private static CalibrationResult cutOneByOne(Calibration calibration) {
    CalibrationResult all = calibration.run(cut(0));
    for (int b = 1; b < LENGTHS.length; b++) {
      all = all.combine(calibration.run(cut(b)));
    }
    return all;
  }

  private static void assertClose(CalibrationResult expected, CalibrationResult found) {
    assertEquals(expected.examples(), found.examples());
    assertEquals(List.of(), found.unmatchedMasks());
    assertEquals(expected.profiles().keySet(), found.profiles().keySet());
    for (String node : expected.profiles().keySet()) {
      TensorProfile one = expected.profile(node).orElseThrow();
      TensorProfile other = found.profile(node).orElseThrow();
      assertClose(one.whole(), other.whole(), node);
      for (int c = 0; c < one.channels().size(); c++) {
        assertClose(one.channels().get(c), other.channels().get(c), node + " channel " + c);
      }
    }
  }

  private static void assertClose(ChannelProfile expected, ChannelProfile found, String node) {
    assertEquals(expected.count(), found.count(), node);
    assertEquals(expected.moments().min(), found.moments().min(), 1e-5, node);
    assertEquals(expected.moments().max(), found.moments().max(), 1e-5, node);
    assertEquals(expected.moments().mean(), found.moments().mean(), 1e-3, node);
  }

  private static MultiLayerNetwork layers() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .list()
                .layer(new LSTM.Builder().name("lstm").nOut(4).build())
                .layer(
                    new DenseLayer.Builder()
                        .name("first")
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build())
                .layer(
                    new DenseLayer.Builder()
                        .name("second")
                        .nOut(3)
                        .activation(Activation.SIGMOID)
                        .build())
                .layer(
                    new RnnOutputLayer.Builder()
                        .name("out")
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(FEATURES))
                .build());
    network.init();
    return network;
  }

  @Test
  void maskedStepsDoNotCountInLayers() {
    Calibration calibration = Calibration.of(Dl4jNetwork.of(layers()));
    DataSet data = new DataSet(SEQUENCES, Nd4j.zeros(LENGTHS.length, 2, TIME), MASK, MASK);
    CalibrationResult masked = calibration.run(new SingletonDataSetIterator(data));
    assertTrue(
        masked
            .profiles()
            .keySet()
            .containsAll(
                ImmutableSet.of(
                    "input", "lstm", "first/preactivation", "second/preactivation", "second")),
        masked.profiles().keySet().toString());
    assertClose(cutOneByOne(calibration), masked);
  }

  @Test
  void maskedStepsOfSequencesWithTheChannelsLastDoNotCount() {
    for (boolean known : new boolean[] {false, true}) {
      MultiLayerNetwork network =
          new MultiLayerNetwork(
              new NeuralNetConfiguration.Builder()
                  .seed(4)
                  .list()
                  .layer(
                      new Convolution1DLayer.Builder(1)
                          .name("point")
                          .nOut(4)
                          .rnnDataFormat(RNNFormat.NWC)
                          .build())
                  .layer(
                      new RnnOutputLayer.Builder()
                          .name("out")
                          .nOut(2)
                          .dataFormat(RNNFormat.NWC)
                          .activation(Activation.SOFTMAX)
                          .build())
                  .setInputType(InputType.recurrent(FEATURES, known ? TIME : -1, RNNFormat.NWC))
                  .build());
      network.init();
      DataSet data =
          new DataSet(
              SEQUENCES.permute(0, 2, 1).dup('c'), Nd4j.zeros(LENGTHS.length, TIME, 2), MASK, MASK);
      CalibrationResult seen =
          Calibration.of(Dl4jNetwork.of(network)).run(new SingletonDataSetIterator(data));
      assertEquals(List.of(), seen.unmatchedMasks());
      ChannelProfile input = seen.profile("input").orElseThrow().whole();
      assertEquals((long) FEATURES * Arrays.stream(LENGTHS).sum(), input.count());
      assertTrue(input.moments().max() < 50, "padding is 100");
    }
  }

  @Test
  void maskedStepsDoNotCountInGraphsAndVectorsAfterThemDo() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .graphBuilder()
                .addInputs("sequence")
                .setInputTypes(InputType.recurrent(FEATURES))
                .addLayer("lstm", new LSTM.Builder().nOut(4).build(), "sequence")
                .addLayer("last", new LastTimeStep(new LSTM.Builder().nOut(3).build()), "lstm")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build(),
                    "last")
                .setOutputs("out")
                .build());
    network.init();
    Calibration calibration = Calibration.of(Dl4jNetwork.of(network));
    MultiDataSet data =
        new MultiDataSet(
            new INDArray[] {SEQUENCES},
            new INDArray[] {Nd4j.zeros(LENGTHS.length, 2)},
            new INDArray[] {MASK},
            null);
    CalibrationResult masked = calibration.run(new SingletonMultiDataSetIterator(data));
    assertEquals(LENGTHS.length * 3L, masked.profile("last").orElseThrow().whole().count());
    assertClose(cutOneByOne(calibration), masked);
  }
}
