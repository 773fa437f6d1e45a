package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

final class Dl4jNetworkTest {
  @Test
  void layersBearTheNamesOfDl4j() {
    assertEquals(
        List.of("first", "layer1", "layer2"),
        names(layers(dense("first"), dense(null), dense("first"))));
    assertEquals(List.of("first", "second"), names(graph()));
  }

  @Test
  void frozenLayersAreSeenThroughTheirWrappers() {
    MultiLayerNetwork network =
        layers(
            new FrozenLayer(dense(null)),
            new FrozenLayerWithBackprop(dense(null)),
            dense(null),
            new FrozenLayer(new LastTimeStep(new LSTM.Builder().nIn(3).nOut(3).build())));

    assertEquals(
        Map.of("layer0", true, "layer1", true, "layer2", false, "layer3", true), frozen(network));
    assertEquals(
        List.of("DenseLayer", "DenseLayer", "DenseLayer", "LSTM"),
        Dl4jNetwork.of(network).layers().stream().map(Dl4jLayer::kind).toList());
  }

  @Test
  void layersFrozenByTransferLearningAreSeen() {
    Model edited =
        new TransferLearning.Builder(layers(dense("a"), dense("b"), dense("c")))
            .setFeatureExtractor(1)
            .build();
    assertEquals(Map.of("a", true, "b", true, "c", false), frozen(edited));

    Model editedGraph =
        new TransferLearning.GraphBuilder(graph()).setFeatureExtractor("first").build();
    assertEquals(Map.of("first", true, "second", false), frozen(editedGraph));
    assertEquals(
        Map.of("first", true, "second", false), frozen(Dl4jNetwork.of(editedGraph).copy().model()));
  }

  @Test
  void aCopyComputesTheSameAndIsItsOwn() {
    for (Model model : List.of(layers(dense("a"), dense("b")), graph())) {
      Dl4jNetwork network = Dl4jNetwork.of(model);
      Dl4jNetwork copy = network.copy();
      INDArray input = Nd4j.rand(DataType.FLOAT, 4, 3);
      INDArray before = network.output(input).get(0).dup();

      assertEquals(before, copy.output(input).get(0));
      assertEquals(network.fingerprint(), copy.fingerprint());

      copy.layers().get(0).parameters().get(0).value().addi(1);
      assertEquals(before, network.output(input).get(0));
      assertNotEquals(network.fingerprint(), copy.fingerprint());
    }
  }

  @Test
  void theFingerprintSeesOneBitOfOneParameter() {
    MultiLayerNetwork network = layers(dense("a"));
    network.params().assign(1);
    String before = Dl4jNetwork.of(network).fingerprint();
    network.params().putScalar(5, Math.nextUp(1f));

    assertNotEquals(before, Dl4jNetwork.of(network).fingerprint());
    assertEquals(64, before.length());
  }

  @Test
  void aNetworkWithoutParametersIsANetwork() {
    MultiLayerNetwork network =
        layers(
            new ActivationLayer(Activation.RELU),
            new LossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build());
    Dl4jNetwork view = Dl4jNetwork.of(network);
    INDArray input = Nd4j.createFromArray(new float[][] {{-1, 2}});

    assertEquals(List.of("layer0", "layer1"), names(network));
    assertEquals(view.output(input), view.copy().output(input));
    assertEquals(view.fingerprint(), view.copy().fingerprint());
  }

  @Test
  void whatIsNoUsableNetworkIsRefused() {
    MultiLayerNetwork early = new MultiLayerNetwork(configuration(dense("a")));
    assertEquals(
        "model must be initialized, found a network without init()",
        assertThrows(IllegalArgumentException.class, () -> Dl4jNetwork.of(early)).getMessage());

    Model layer = layers(dense("a")).getLayer(0);
    assertEquals(
        "model must be a MultiLayerNetwork or a ComputationGraph, found "
            + layer.getClass().getName(),
        assertThrows(IllegalArgumentException.class, () -> Dl4jNetwork.of(layer)).getMessage());
  }

  private static List<String> names(Model model) {
    return Dl4jNetwork.of(model).layers().stream().map(Dl4jLayer::name).toList();
  }

  private static Map<String, Boolean> frozen(Model model) {
    return Dl4jNetwork.of(model).layers().stream()
        .collect(Collectors.toMap(Dl4jLayer::name, Dl4jLayer::frozen));
  }

  private static Layer dense(String name) {
    return new DenseLayer.Builder().name(name).nIn(3).nOut(3).build();
  }

  private static org.deeplearning4j.nn.conf.MultiLayerConfiguration configuration(Layer... layers) {
    var list = new NeuralNetConfiguration.Builder().seed(2).list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    return list.build();
  }

  private static MultiLayerNetwork layers(Layer... layers) {
    MultiLayerNetwork network = new MultiLayerNetwork(configuration(layers));
    network.init();
    return network;
  }

  private static ComputationGraph graph() {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(2)
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", dense(null), "in")
                .addLayer(
                    "second",
                    new OutputLayer.Builder(LossFunction.MSE)
                        .activation(Activation.IDENTITY)
                        .nIn(3)
                        .nOut(2)
                        .build(),
                    "first")
                .setOutputs("second")
                .build());
    graph.init();
    return graph;
  }
}
