package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

final class LimitedPrecisionBindingTest {
  private static ResidualGradientListener listener(String... layers) {
    return ResidualGradientListener.builder().layers(layers).build();
  }

  private static void refused(String message, Executable action) {
    assertEquals(message, assertThrows(IllegalStateException.class, action).getMessage());
  }

  @Test
  void twoListenersOnOneParameterAreRefused() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    listener("first", "head").attachTo(network);
    INDArray before = network.params().dup();
    AccumulatedUpdateListener second =
        AccumulatedUpdateListener.builder().layers("head").bitWidth(4).build();
    refused("head.W must be carried by one listener, found two", () -> second.attachTo(network));
    assertEquals(before, network.params(), "the weights have not been touched");
    refused(
        "head.W must be carried by one listener, found two",
        () -> network.fit(TestNetworks.batch(0)));
  }

  @Test
  void listenersOnDifferentParametersGoTogether() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener first = listener("first");
    AccumulatedUpdateListener second = AccumulatedUpdateListener.builder().layers("head").build();
    first.attachTo(network);
    second.attachTo(network);
    network.fit(TestNetworks.batches(3));
    assertEquals(0, first.statistics().get("first.W").outside());
    assertEquals(0, second.statistics().get("head.W").outside());
  }

  @Test
  void oneListenerAddedTwiceIsRefused() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener listener = listener();
    network.setListeners(listener, listener);
    refused(
        "a limited-precision listener must be added to a network once, found it twice",
        () -> network.fit(TestNetworks.batch(0)));
  }

  @Test
  void oneListenerOnTwoNetworksIsRefused() {
    ResidualGradientListener listener = listener();
    listener.attachTo(TestNetworks.network(new Sgd(0.1)));
    MultiLayerNetwork other = TestNetworks.network(new Sgd(0.1));
    other.setListeners(listener);
    refused(
        "a limited-precision listener carries the weights of one network; build another for this"
            + " one",
        () -> other.fit(TestNetworks.batch(0)));
  }

  @Test
  void patternWithoutLayerIsRefused() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> listener("conv*").attachTo(network));
    assertEquals(
        "layers must match a layer of [first, layer1, head], found conv*", thrown.getMessage());
    refused(
        "layers must select at least one trainable parameter, found none in [first, layer1, head]",
        () ->
            ResidualGradientListener.builder()
                .layers(name -> name.equals("conv"))
                .build()
                .attachTo(network));
  }

  @Test
  void weightsThatAreNotFiniteAreRefused() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    network.getParam("1_W").putScalar(3, Float.NaN);
    IllegalStateException thrown =
        assertThrows(IllegalStateException.class, () -> listener().attachTo(network));
    assertTrue(
        thrown.getMessage().startsWith("layer1.W must be finite, found NaN at "),
        thrown.getMessage());
  }

  @Test
  void frozenLayersAreLeftAlone() {
    MultiLayerNetwork network =
        new TransferLearning.Builder(TestNetworks.network(new Adam(0.01)))
            .fineTuneConfiguration(
                new FineTuneConfiguration.Builder().updater(new Adam(0.01)).build())
            .setFeatureExtractor(0)
            .build();
    INDArray frozen = network.getParam("0_W").dup();
    ResidualGradientListener listener = listener();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(4), 2);
    assertEquals(List.of("layer1.W", "head.W"), listener.carried().keySet().asList());
    assertEquals("its layer is frozen", listener.notCarried().get("first.W"));
    assertEquals(frozen, network.getParam("0_W"));
    assertEquals(0, listener.statistics().get("head.W").outside());
    assertTrue(listener.statistics().get("head.W").updates() > 0);
  }

  @Test
  void sharedMemoryIsCarriedOnce() {
    ComputationGraph graph = TestNetworks.graph(new Sgd(0.05));
    DenseLayer left = (DenseLayer) graph.getLayer("left");
    DenseLayer right = (DenseLayer) graph.getLayer("right");
    right.setParamsViewArray(left.params());
    right.setParamTable(left.paramTable());
    ResidualGradientListener listener = listener();
    listener.attachTo(graph);
    assertEquals(List.of("left.W", "head.W"), listener.carried().keySet().asList());
    assertEquals("it is the memory of left.W, which is", listener.notCarried().get("right.W"));
    graph.fit(TestNetworks.batches(3), 2);
    assertEquals(0, listener.statistics().get("left.W").outside());
    assertEquals(
        listener.fineWeights("left", "W").orElseThrow(),
        listener.fineWeights("right", "W").orElseThrow());
  }

  @Test
  void memoryOutsideTheNetworkIsRefused() {
    ComputationGraph graph = TestNetworks.graph(new Sgd(0.05));
    DenseLayer right = (DenseLayer) graph.getLayer("right");
    right.paramTable().put("W", Nd4j.rand(DataType.FLOAT, 6, 4));
    refused(
        "right.W must be a part of the network's parameter vector",
        () -> listener().attachTo(graph));
  }

  @Test
  void earlyStoppingTrainsOnTheGrid() {
    MultiLayerNetwork network = TestNetworks.network(new Adam(0.01));
    ResidualGradientListener listener = listener();
    listener.attachTo(network);
    EarlyStoppingConfiguration<MultiLayerNetwork> configuration =
        new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
            .epochTerminationConditions(new MaxEpochsTerminationCondition(3))
            .scoreCalculator(new DataSetLossCalculator(TestNetworks.batches(2), true))
            .modelSaver(new InMemoryModelSaver<>())
            .build();
    MultiLayerNetwork best =
        new EarlyStoppingTrainer(configuration, network, TestNetworks.batches(4))
            .fit()
            .getBestModel();
    double step = listener.carried().get("first.W").scale();
    assertTrue(TestNetworks.onGrid(best.getParam("0_W"), step));
    assertTrue(listener.statistics().get("first.W").updates() > 0);
  }

  /** A network that can be initialized again. */
  @SuppressWarnings({"overrides", "serial"}) // as MultiLayerNetwork itself
  private static final class Renewable extends MultiLayerNetwork {
    Renewable(MultiLayerConfiguration configuration) {
      super(configuration);
      init();
    }

    void initAgain(MultiLayerConfiguration configuration) {
      setLayerWiseConfigurations(configuration);
      layers = null;
      flattenedParams = null;
      flattenedGradients = null;
      initCalled = false;
      initDone = false;
      solver = null;
      init();
    }
  }

  private static MultiLayerConfiguration configuration(boolean deeper) {
    NeuralNetConfiguration.ListBuilder layers =
        TestNetworks.configuration(new Sgd(0.05))
            .list()
            .layer(TestNetworks.dense(6, 5).name("first").build());
    if (deeper) {
      layers.layer(TestNetworks.dense(5, 5).name("late").build());
    }
    return layers.layer(TestNetworks.output(5)).build();
  }

  @Test
  void layerThatAppearsAfterInitStartsAndTheOthersGoOn() {
    Renewable network = new Renewable(configuration(false));
    ResidualGradientListener listener = listener();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(2));
    assertEquals(List.of("first.W", "head.W"), listener.carried().keySet().asList());
    network.initAgain(configuration(true));
    network.setListeners(listener);
    network.fit(TestNetworks.batches(3));
    assertEquals(List.of("first.W", "late.W", "head.W"), listener.carried().keySet().asList());
    assertTrue(
        TestNetworks.onGrid(network.getParam("1_W"), listener.carried().get("late.W").scale()));
    network.initAgain(configuration(false));
    network.setListeners(listener);
    refused(
        "late.W is carried, but is no longer a trainable parameter of the network",
        () -> network.fit(TestNetworks.batch(0)));
  }

  @Test
  void readingBeforeAttachingIsRefused() {
    refused(
        "the listener must be attached to a network first: call attachTo, or fit",
        () -> listener().carried());
    assertTrue(listener().fineWeights("first", "W").isEmpty());
  }
}
