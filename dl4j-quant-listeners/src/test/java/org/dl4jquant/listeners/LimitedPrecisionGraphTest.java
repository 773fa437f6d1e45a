package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.update.UpdateStatistics;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** What is defined for networks that are not as expected, where the other class tests one kind. */
final class LimitedPrecisionGraphTest {
  private static ResidualGradientListener listener() {
    return ResidualGradientListener.builder().build();
  }

  @Test
  void updatesThatAreNotFiniteLeaveTheWeightsOfAGraphAlone() {
    ComputationGraph graph = TestNetworks.graph(new Sgd(0.1));
    ResidualGradientListener listener = ResidualGradientListener.builder().biases(true).build();
    listener.attachTo(graph);
    INDArray before = graph.params().dup();
    DataSet batch = TestNetworks.batch(0);
    graph.fit(
        new DataSet(Nd4j.valueArrayOf(batch.getFeatures().shape(), Float.NaN), batch.getLabels()));
    assertEquals(before, graph.params());
    UpdateStatistics statistics = listener.statistics().get("left.W");
    assertEquals(statistics.weights(), statistics.skipped());
    graph.fit(TestNetworks.batches(2), 2);
    assertFalse(graph.params().isNaN().any());
    assertFalse(before.equals(graph.params()), "it learns again");
  }

  @Test
  void frozenLayersOfAGraphAreLeftAlone() {
    ComputationGraph graph =
        new TransferLearning.GraphBuilder(TestNetworks.graph(new Adam(0.01)))
            .fineTuneConfiguration(
                new FineTuneConfiguration.Builder().updater(new Adam(0.01)).build())
            .setFeatureExtractor("left")
            .build();
    INDArray frozen = graph.getLayer("left").getParam("W").dup();
    ResidualGradientListener listener = listener();
    listener.attachTo(graph);
    graph.fit(TestNetworks.batches(4), 2);
    assertEquals(List.of("right.W", "head.W"), listener.carried().keySet().asList());
    assertEquals("its layer is frozen", listener.notCarried().get("left.W"));
    assertEquals(frozen, graph.getLayer("left").getParam("W"));
    assertTrue(listener.statistics().get("head.W").updates() > 0);
  }

  @Test
  void memoryThatLayersOfANetworkShareIsCarriedOnce() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            TestNetworks.configuration(new Sgd(0.05))
                .list()
                .layer(TestNetworks.dense(6, 6).name("left").build())
                .layer(TestNetworks.dense(6, 6).name("right").build())
                .layer(TestNetworks.output(6))
                .build());
    network.init();
    DenseLayer left = (DenseLayer) network.getLayer("left");
    DenseLayer right = (DenseLayer) network.getLayer("right");
    right.setParamsViewArray(left.params());
    right.setParamTable(left.paramTable());
    ResidualGradientListener listener = listener();
    listener.attachTo(network);
    assertEquals(List.of("left.W", "head.W"), listener.carried().keySet().asList());
    assertEquals("it is the memory of left.W, which is", listener.notCarried().get("right.W"));
    network.fit(TestNetworks.batches(3), 2);
    assertTrue(
        TestNetworks.onGrid(
            network.getLayer("right").getParam("W"), listener.carried().get("left.W").scale()));
    assertEquals(
        listener.fineWeights("left", "W").orElseThrow(),
        listener.fineWeights("right", "W").orElseThrow());
  }

  @Test
  void twoListenersOnOneParameterOfAGraphAreRefused() {
    ComputationGraph graph = TestNetworks.graph(new Sgd(0.1));
    listener().attachTo(graph);
    INDArray before = graph.params().dup();
    AccumulatedUpdateListener second =
        AccumulatedUpdateListener.builder().layers("right").bitWidth(4).build();
    String message = "right.W must be carried by one listener, found two";
    assertEquals(
        message,
        assertThrows(IllegalStateException.class, () -> second.attachTo(graph)).getMessage());
    assertEquals(before, graph.params(), "the weights have not been touched");
    assertEquals(
        message,
        assertThrows(IllegalStateException.class, () -> graph.fit(TestNetworks.batch(0)))
            .getMessage());
  }

  /** A graph that can be initialized again. */
  @SuppressWarnings({"overrides", "serial"}) // as ComputationGraph itself
  private static final class Renewable extends ComputationGraph {
    Renewable(ComputationGraphConfiguration configuration) {
      super(configuration);
      init();
    }

    /** Becomes another graph, as after another {@code init}. */
    void become(ComputationGraphConfiguration other) throws ReflectiveOperationException {
      Renewable fresh = new Renewable(other);
      configuration = fresh.configuration;
      vertices = fresh.vertices;
      verticesMap = fresh.verticesMap;
      layers = fresh.layers;
      topologicalOrder = fresh.topologicalOrder;
      graphIndices = fresh.graphIndices;
      flattenedParams = fresh.flattenedParams;
      flattenedGradients = fresh.flattenedGradients;
      gradient = null;
      solver = null;
      Field outputs = ComputationGraph.class.getDeclaredField("outputLayerIdxs");
      outputs.setAccessible(true);
      outputs.set(this, null);
    }
  }

  private static ComputationGraphConfiguration configuration(boolean wider) {
    GraphBuilder graph =
        TestNetworks.configuration(new Sgd(0.05))
            .graphBuilder()
            .addInputs("in")
            .addLayer("left", TestNetworks.dense(6, 4).build(), "in");
    return wider
        ? graph
            .addLayer("late", TestNetworks.dense(4, 4).build(), "left")
            .addLayer("head", TestNetworks.output(4), "late")
            .setOutputs("head")
            .build()
        : graph.addLayer("head", TestNetworks.output(4), "left").setOutputs("head").build();
  }

  @Test
  void layerOfAGraphThatAppearsAfterInitStartsAndTheOthersGoOn()
      throws ReflectiveOperationException {
    Renewable graph = new Renewable(configuration(false));
    ResidualGradientListener listener = listener();
    listener.attachTo(graph);
    graph.fit(TestNetworks.batches(2));
    assertEquals(List.of("left.W", "head.W"), listener.carried().keySet().asList());
    graph.become(configuration(true));
    graph.setListeners(listener);
    graph.fit(TestNetworks.batches(3));
    assertEquals(List.of("left.W", "late.W", "head.W"), listener.carried().keySet().asList());
    assertTrue(
        TestNetworks.onGrid(
            graph.getLayer("late").getParam("W"), listener.carried().get("late.W").scale()));
    graph.become(configuration(false));
    graph.setListeners(listener);
    assertEquals(
        "late.W is carried, but is no longer a trainable parameter of the network",
        assertThrows(IllegalStateException.class, () -> graph.fit(TestNetworks.batch(0)))
            .getMessage());
  }
}
