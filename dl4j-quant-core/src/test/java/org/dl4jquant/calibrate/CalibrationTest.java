package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.stats.BinnedTensorAccumulator;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions;

final class CalibrationTest {
  private static MultiLayerNetwork cnn(CNN2DFormat format) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(
                    new ConvolutionLayer.Builder(3, 3)
                        .name("conv")
                        .nOut(4)
                        .dataFormat(format)
                        .activation(Activation.RELU)
                        .build())
                .layer(
                    new SubsamplingLayer.Builder()
                        .name("pool")
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .dataFormat(format)
                        .build())
                .layer(
                    new ConvolutionLayer.Builder(2, 2)
                        .name("smooth")
                        .nOut(3)
                        .dataFormat(format)
                        .activation(Activation.TANH)
                        .build())
                .layer(
                    new DenseLayer.Builder()
                        .name("dense")
                        .nOut(6)
                        .activation(Activation.RELU)
                        .build())
                .layer(
                    new OutputLayer.Builder()
                        .name("out")
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(9, 8, 2, format))
                .build());
    network.init();
    return network;
  }

  private static INDArray random(long seed, int... shape) {
    Random random = new Random(seed);
    INDArray array = Nd4j.create(DataType.FLOAT, Arrays.stream(shape).asLongStream().toArray());
    for (long i = 0; i < array.length(); i++) {
      array.putScalar(i, random.nextFloat());
    }
    return array;
  }

  private static INDArray images(int count) {
    return random(17, count, 2, 9, 8).subi(0.4f);
  }

  private static CalibrationResult calibrate(Model model, INDArray... inputs) {
    return Calibration.of(Dl4jNetwork.of(model)).run(inputs);
  }

  private static ListDataSetIterator<DataSet> iterator(INDArray features, int batch) {
    INDArray labels = Nd4j.zeros(DataType.FLOAT, features.size(0), 3);
    return new ListDataSetIterator<>(new DataSet(features, labels).asList(), batch);
  }

  /** Profiles of all nodes by the plain float network. */
  private static TensorProfile expected(Model model, String node, INDArray input) {
    var graph = GraphReader.read(Dl4jNetwork.of(model)).graph();
    Tensor value =
        FloatNetwork.of(graph)
            .values(
                ImmutableMap.of(graph.inputs().get(0), Tensors.of(input)), ImmutableSet.of(node))
            .get(node);
    int channels = graph.shape(node).channels();
    BinnedTensorAccumulator accumulator = BinnedTensorAccumulator.create(channels);
    accumulator.acceptBatch(
        value.values(), value.length(), value.length() / value.size(0) / channels);
    return accumulator.snapshot();
  }

  private static void assertClose(TensorProfile expected, TensorProfile found, String node) {
    assertEquals(expected.channels().size(), found.channels().size(), node);
    for (int c = 0; c < expected.channels().size(); c++) {
      assertClose(expected.channels().get(c), found.channels().get(c), node + " channel " + c);
    }
    assertClose(expected.whole(), found.whole(), node);
  }

  private static void assertClose(ChannelProfile expected, ChannelProfile found, String node) {
    assertEquals(expected.count(), found.count(), node);
    assertEquals(expected.moments().min(), found.moments().min(), 1e-5, node);
    assertEquals(expected.moments().max(), found.moments().max(), 1e-5, node);
    assertEquals(expected.moments().mean(), found.moments().mean(), 1e-3, node);
    assertEquals(expected.moments().variance(), found.moments().variance(), 1e-3, node);
  }

  @Test
  void everyValueThatNeedsAFormatIsProfiledWhateverTheLayout() {
    for (CNN2DFormat format : CNN2DFormat.values()) {
      MultiLayerNetwork network = cnn(format);
      INDArray input = images(40);
      if (format == CNN2DFormat.NHWC) {
        input = input.permute(0, 2, 3, 1).dup('c');
      }
      CalibrationResult result = calibrate(network, input);
      assertTrue(
          result
              .profiles()
              .keySet()
              .containsAll(
                  List.of(
                      "input",
                      "conv",
                      "pool",
                      "smooth/preactivation",
                      "smooth",
                      "dense",
                      "out/preactivation",
                      "out")),
          result.profiles().keySet().toString());
      assertFalse(result.profiles().containsKey("conv/preactivation"));
      for (String node :
          List.of("conv", "pool", "smooth/preactivation", "smooth", "dense", "out")) {
        assertClose(
            expected(network, node, input),
            result.profile(node).orElseThrow(),
            format + " " + node);
      }
      assertEquals(40, result.examples());
      assertEquals(List.of(), result.warnings());
    }
  }

  @Test
  void partsEqualOnePassExactly() {
    MultiLayerNetwork network = cnn(CNN2DFormat.NCHW);
    Calibration calibration = Calibration.of(Dl4jNetwork.of(network));
    INDArray images = images(60);
    CalibrationResult whole = calibration.run(iterator(images, 7));
    CalibrationResult first = calibration.run(iterator(slice(images, 0, 21), 7));
    CalibrationResult second = calibration.run(iterator(slice(images, 21, 60), 7));
    assertEquals(whole, first.combine(second));
    assertEquals(whole, second.combine(first));
  }

  private static INDArray slice(INDArray images, int from, int to) {
    INDArray copy = Nd4j.create(DataType.FLOAT, to - from, 2, 9, 8);
    for (int i = from; i < to; i++) {
      copy.putSlice(i - from, images.slice(i));
    }
    return copy;
  }

  @Test
  void progressTellsTheExamplesSoFar() {
    List<Long> seen = new ArrayList<>();
    Calibration.of(Dl4jNetwork.of(cnn(CNN2DFormat.NCHW)))
        .withProgress(seen::add)
        .run(iterator(images(20), 8));
    assertEquals(List.of(8L, 16L, 20L), seen);
  }

  @Test
  void anExhaustedIteratorIsResetAndAnEmptyOneRefused() {
    MultiLayerNetwork network = cnn(CNN2DFormat.NCHW);
    Calibration calibration = Calibration.of(Dl4jNetwork.of(network));
    ListDataSetIterator<DataSet> iterator = iterator(images(9), 4);
    CalibrationResult first = calibration.run(iterator);
    assertFalse(iterator.hasNext());
    assertEquals(first, calibration.run(iterator));
    iterator.reset();
    iterator.next();
    assertEquals(5, calibration.run(iterator).examples());
    assertMessage(
        "calibration data must hold examples, found none",
        () -> calibration.run(new ListDataSetIterator<>(List.of(), 4)));
  }

  @Test
  void aTinySetWarns() {
    assertEquals(
        "calibration saw 3 examples only; 32 or more are recommended",
        calibrate(cnn(CNN2DFormat.NCHW), images(3)).warnings().get(0));
  }

  @Test
  void theNetworkStaysAsItWasAndSoDoTheInputs() {
    MultiLayerNetwork network = cnn(CNN2DFormat.NCHW);
    INDArray images = images(33);
    INDArray copy = images.dup();
    INDArray before = network.output(images);
    calibrate(network, images);
    assertEquals(copy, images);
    assertEquals(before, network.output(images));
  }

  private static ComputationGraph twoInputs() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs("left", "right")
                .setInputTypes(InputType.feedForward(5), InputType.feedForward(5))
                .addLayer(
                    "a",
                    new DenseLayer.Builder().nOut(5).activation(Activation.RELU).build(),
                    "left")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "right")
                .addLayer(
                    "relu",
                    new ActivationLayer.Builder().activation(Activation.RELU).build(),
                    "sum")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                    "relu")
                .setOutputs("out")
                .build());
    network.init();
    return network;
  }

  @Test
  void whatTheNextLayerOverwritesIsSeenBefore() {
    MultiLayerNetwork layers =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(8)
                .list()
                .layer(
                    new ActivationLayer.Builder().activation(Activation.TANH).name("first").build())
                .layer(dense("a", 5, 6))
                .layer(new PReLULayer.Builder().inputShape(6).name("slopes").build())
                .layer(dense("logits", 6, 3))
                .layer(
                    new ActivationLayer.Builder()
                        .activation(Activation.SOFTMAX)
                        .name("out")
                        .build())
                .build());
    layers.init();
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(8)
                .graphBuilder()
                .addInputs("input")
                .addLayer("a", dense("a", 5, 6), "input")
                .addLayer("slopes", new PReLULayer.Builder().inputShape(6).build(), "a")
                .addLayer("logits", dense("logits", 6, 3), "slopes")
                .addLayer("out", new ActivationLayer(Activation.SOFTMAX), "logits")
                .setOutputs("out")
                .build());
    graph.init();
    INDArray input = random(6, 50, 5).muli(4);
    for (Model network : List.of(layers, graph)) {
      CalibrationResult result = calibrate(network, input);
      assertEquals(random(6, 50, 5).muli(4), input);
      for (String node : List.of("input", "a", "slopes", "logits", "out")) {
        assertClose(expected(network, node, input), result.profile(node).orElseThrow(), node);
      }
      assertTrue(result.profile("logits").orElseThrow().whole().moments().min() < 0);
    }
  }

  private static DenseLayer dense(String name, int inputs, int outputs) {
    return new DenseLayer.Builder()
        .name(name)
        .nIn(inputs)
        .nOut(outputs)
        .activation(Activation.IDENTITY)
        .build();
  }

  @Test
  void aGraphOfTwoInputsIsCalibrated() {
    INDArray left = random(1, 50, 5);
    INDArray right = random(2, 50, 5).muli(-3);
    ComputationGraph network = twoInputs();
    CalibrationResult result = calibrate(network, left, right);
    assertEquals(
        List.of("left", "right", "a", "relu", "out/preactivation", "out"),
        List.copyOf(result.profiles().keySet()));
    assertEquals(
        right.minNumber().doubleValue(),
        result.profile("right").orElseThrow().whole().moments().min());
    INDArray[] labels = {Nd4j.zeros(50, 3)};
    MultiDataSet data = new MultiDataSet(new INDArray[] {left, right}, labels);
    assertEquals(
        result,
        Calibration.of(Dl4jNetwork.of(network)).run(new SingletonMultiDataSetIterator(data)));
    assertMessage("inputs must be those of [left, right], found 1", () -> calibrate(network, left));
  }

  @Test
  void refusesWhatDoesNotFitTheNetwork() {
    assertMessage(
        "input 'input' must have shape [2, -1, -1] after the batch, found [3, 9, 8]",
        () -> calibrate(cnn(CNN2DFormat.NCHW), Nd4j.zeros(DataType.FLOAT, 2, 3, 9, 8)));
    CalibrationResult one = calibrate(cnn(CNN2DFormat.NCHW), images(2));
    MultiLayerNetwork other = cnn(CNN2DFormat.NCHW);
    other.params().addi(1);
    CalibrationResult two = calibrate(other, images(2));
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> one.combine(two))
            .getMessage()
            .startsWith("other must be of network " + one.network()));
  }

  @Test
  void aLargeBatchIsRunInParts() {
    List<Long> seen = new ArrayList<>();
    INDArray images = random(5, 20_000, 2, 9, 8);
    MultiLayerNetwork network = cnn(CNN2DFormat.NCHW);
    CalibrationResult result =
        Calibration.of(Dl4jNetwork.of(network)).withProgress(seen::add).run(images);
    assertTrue(seen.size() > 1, seen.toString());
    assertEquals(20_000, seen.get(seen.size() - 1));
    assertEquals(20_000L * 2 * 9 * 8, result.profile("input").orElseThrow().whole().count());
  }

  @Test
  void pixelsThatAreClassifiedAreProfiledByClassInEitherFormat() {
    for (CNN2DFormat format : CNN2DFormat.values()) {
      MultiLayerNetwork network =
          new MultiLayerNetwork(
              new NeuralNetConfiguration.Builder()
                  .seed(3)
                  .list()
                  .layer(
                      new ConvolutionLayer.Builder(3, 3)
                          .name("conv")
                          .nOut(3)
                          .dataFormat(format)
                          .activation(Activation.IDENTITY)
                          .build())
                  .layer(
                      new CnnLossLayer.Builder(LossFunctions.LossFunction.MCXENT)
                          .name("pixels")
                          .format(format)
                          .activation(Activation.SOFTMAX)
                          .build())
                  .setInputType(InputType.convolutional(9, 8, 2, format))
                  .build());
      network.init();
      INDArray input = images(40);
      input = format == CNN2DFormat.NHWC ? input.permute(0, 2, 3, 1).dup('c') : input;
      assertClose(
          expected(network, "pixels", input),
          calibrate(network, input).profile("pixels").orElseThrow(),
          format.name());
    }
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
