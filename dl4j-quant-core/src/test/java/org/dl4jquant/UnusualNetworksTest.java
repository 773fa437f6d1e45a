package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.stats.Sqnr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Networks that convert although something in them is unlike the others. */
final class UnusualNetworksTest {
  private static final int INPUTS = 6;
  private static final int HIDDEN = 8;

  @ParameterizedTest
  @ValueSource(strings = {"scale", "shift", "subtract", "average", "average of three", "residual"})
  void verticesWithConstantsComputeInFloat(String kind) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .graphBuilder()
            .addInputs("in")
            .addLayer("a", dense(INPUTS, Activation.RELU), "in")
            .addLayer("b", dense(INPUTS, Activation.TANH), "in")
            .addLayer("c", dense(HIDDEN, Activation.TANH), "b");
    switch (kind) {
      case "scale" -> graph.addVertex("v", new ScaleVertex(0.3), "a");
      case "shift" -> graph.addVertex("v", new ShiftVertex(0.7), "a");
      case "subtract" -> graph.addVertex("v", vertex(ElementWiseVertex.Op.Subtract), "a", "b");
      case "average" -> graph.addVertex("v", vertex(ElementWiseVertex.Op.Average), "a", "b");
      case "average of three" ->
          graph.addVertex("v", vertex(ElementWiseVertex.Op.Average), "a", "b", "c");
      default ->
          graph
              .addVertex("half", new ScaleVertex(0.5), "a")
              .addVertex("v", vertex(ElementWiseVertex.Op.Add), "half", "c");
    }
    graph.allowDisconnected(true).addLayer("out", output(), "v").setOutputs("out");
    ComputationGraph network = new ComputationGraph(graph.build());
    network.init();

    INDArray x = examples();
    requireConverts(network, network.output(x)[0], x);
  }

  /** What weight decay leaves of units that never fire. */
  @ParameterizedTest
  @CsvSource({
    "1e-10, -0.3, 1",
    "1e-16, 0, 0.01",
    "1e-18, 1e-28, 1",
    "6e-28, -0.3, 0.01",
    "1e-37, 1e-12, 1"
  })
  void aChannelOfAlmostNothingDoesNotWidenTheSums(double weight, double bias, double inputs) {
    MultiLayerNetwork network = twoLayers();
    for (int row = 0; row < INPUTS; row++) {
      network.getLayer(0).getParam("W").putScalar(row, 2, weight * (row - 2.5));
    }
    network.getLayer(0).getParam("b").putScalar(2, bias);

    INDArray x = examples().muli(inputs);
    QuantizedModel model = requireConverts(network, network.output(x), x);
    assertTrue(
        model.toIntegerNetwork().accumulatorBits().values().stream().allMatch(bits -> bits <= 56),
        () -> model.toIntegerNetwork().accumulatorBits().toString());
  }

  @Test
  void weightsOfAnyScaleAreQuantizedAlike() {
    for (double scale : new double[] {1e-8, 1, 1e8}) {
      MultiLayerNetwork network = twoLayers();
      network.getLayer(0).getParam("W").muli(scale);
      network.getLayer(1).getParam("W").divi(scale);
      INDArray x = examples();
      requireConverts(network, network.output(x), x);
    }
  }

  private static QuantizedModel requireConverts(Model network, INDArray wanted, INDArray x) {
    QuantizedModel model = Quantization.of(network).calibrate(x).convert();
    INDArray codes = model.output(x).get(0);
    Model fake = model.toNetwork();
    INDArray same =
        fake instanceof ComputationGraph graph
            ? graph.output(x)[0]
            : ((MultiLayerNetwork) fake).output(x);
    assertEquals(0, same.sub(codes).amaxNumber().doubleValue(), 1e-6); // softmax in float
    double sqnr = Sqnr.decibels(wanted.dup().data().asFloat(), codes.dup().data().asFloat());
    assertTrue(sqnr > 30, () -> "SQNR " + sqnr + " dB");
    return model;
  }

  private static MultiLayerNetwork twoLayers() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(dense(INPUTS, Activation.RELU))
                .layer(output())
                .build());
    network.init();
    return network;
  }

  private static INDArray examples() {
    Nd4j.getRandom().setSeed(7);
    return Nd4j.rand(new int[] {64, INPUTS}).subi(0.5);
  }

  private static DenseLayer dense(int inputs, Activation activation) {
    return new DenseLayer.Builder().nIn(inputs).nOut(HIDDEN).activation(activation).build();
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder().nIn(HIDDEN).nOut(4).activation(Activation.SOFTMAX).build();
  }

  private static ElementWiseVertex vertex(ElementWiseVertex.Op op) {
    return new ElementWiseVertex(op);
  }
}
