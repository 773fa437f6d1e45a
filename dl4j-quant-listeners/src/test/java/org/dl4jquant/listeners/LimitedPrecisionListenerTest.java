package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.update.Saturation;
import org.dl4jquant.update.UpdateStatistics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

final class LimitedPrecisionListenerTest {
  /** The sum of all applied updates of one parameter, added in double. */
  static final class UpdateSum extends BaseTrainingListener {
    private final String key;
    double[] sum = new double[0];

    UpdateSum(String key) {
      this.key = key;
    }

    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
      double[] update = model.gradient().gradientForVariable().get(key).dup('c').data().asDouble();
      if (sum.length == 0) {
        sum = new double[update.length];
      }
      for (int i = 0; i < update.length; i++) {
        sum[i] += update[i];
      }
    }
  }

  private static double[] rowMajor(INDArray array) {
    return array.dup('c').data().asDouble();
  }

  static Stream<IUpdater> updaters() {
    return Stream.of(
        new Sgd(0.01), new Adam(1e-3), new Nesterovs(0.01, 0.9), new RmsProp(1e-3), new AdaDelta());
  }

  @ParameterizedTest
  @MethodSource("updaters")
  void fineWeightIsTheStartLessAllAppliedUpdates(IUpdater updater) {
    NeuralNetConfiguration.Builder configuration =
        TestNetworks.configuration(updater)
            .l2(1e-2)
            .weightDecay(1e-3)
            .gradientNormalization(GradientNormalization.ClipL2PerLayer)
            .gradientNormalizationThreshold(0.5);
    MultiLayerNetwork network = TestNetworks.network(configuration);
    double[] before = rowMajor(network.getParam("0_W"));
    UpdateSum sum = new UpdateSum("0_W");
    network.addListeners(sum);
    ResidualGradientListener listener =
        ResidualGradientListener.builder().headroomBits(2).extraBits(20).build();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(5), 4);

    double[] after = rowMajor(listener.fineWeights("first", "W").orElseThrow());
    FixedPointFormat format = listener.carried().get("first.W");
    for (int i = 0; i < before.length; i++) {
      assertEquals(before[i] - sum.sum[i], after[i], 2e-6 * 1, "element " + i);
    }
    assertTrue(TestNetworks.onGrid(network.getParam("0_W"), format.scale()));
    assertTrue(
        TestNetworks.onGrid(network.getParam("2_W"), listener.carried().get("head.W").scale()));
    UpdateStatistics statistics = listener.statistics().get("first.W");
    assertEquals(20L * before.length, statistics.weights());
    assertEquals(0, statistics.outside(), "the applied update explains every change");
    assertEquals(0, statistics.skipped());
  }

  static Stream<Arguments> fits() {
    return Stream.of(
        fit("data set", n -> n.fit(TestNetworks.batch(0))),
        fit(
            "arrays",
            n -> n.fit(TestNetworks.batch(0).getFeatures(), TestNetworks.batch(0).getLabels())),
        fit("iterator", n -> n.fit(TestNetworks.batches(3))),
        fit("iterator and epochs", n -> n.fit(TestNetworks.batches(3), 2)));
  }

  private static Arguments fit(String name, Consumer<MultiLayerNetwork> fit) {
    return Arguments.of(name, fit);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("fits")
  void everyFitIsCarriedWithOrWithoutAttaching(String name, Consumer<MultiLayerNetwork> fit) {
    for (boolean attached : new boolean[] {true, false}) {
      MultiLayerNetwork network = TestNetworks.network(new Adam(1e-3));
      AccumulatedUpdateListener listener = AccumulatedUpdateListener.builder().build();
      if (attached) {
        listener.attachTo(network);
      } else {
        network.setListeners(listener);
      }
      fit.accept(network);
      assertEquals(3, listener.carried().size());
      listener
          .carried()
          .forEach(
              (parameter, format) -> {
                UpdateStatistics statistics = listener.statistics().get(parameter);
                assertTrue(statistics.updates() > 0);
                assertEquals(0, statistics.outside());
              });
      assertTrue(
          TestNetworks.onGrid(network.getParam("1_W"), listener.carried().get("layer1.W").scale()));
    }
  }

  @Test
  void graphsAreCarriedLikeNetworks() {
    ComputationGraph graph = TestNetworks.graph(new Adam(1e-3));
    double[] before = rowMajor(graph.getParam("left_W"));
    UpdateSum sum = new UpdateSum("left_W");
    graph.addListeners(sum);
    ResidualGradientListener listener =
        ResidualGradientListener.builder().layers("l*", "head").extraBits(20).build();
    listener.attachTo(graph);
    graph.fit(TestNetworks.batches(3), 3);
    assertEquals(List.of("left.W", "head.W"), listener.carried().keySet().asList());
    double[] after = rowMajor(listener.fineWeights("left", "W").orElseThrow());
    for (int i = 0; i < before.length; i++) {
      assertEquals(before[i] - sum.sum[i], after[i], 2e-6);
    }
  }

  @Test
  void doublePrecisionNetworksAreCarried() {
    MultiLayerNetwork network =
        TestNetworks.network(TestNetworks.configuration(new Sgd(1e-4)).dataType(DataType.DOUBLE));
    double[] before = rowMajor(network.getParam("0_W"));
    UpdateSum sum = new UpdateSum("0_W");
    network.addListeners(sum);
    ResidualGradientListener listener = ResidualGradientListener.builder().extraBits(30).build();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(3), 3);
    assertEquals(0, listener.statistics().get("first.W").outside());
    double[] after = rowMajor(listener.fineWeights("first", "W").orElseThrow());
    for (int i = 0; i < before.length; i++) {
      assertEquals(before[i] - sum.sum[i], after[i], 1e-9);
    }
  }

  @Test
  void bitsAndFractionalLengthsAreSetByLayer() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener listener =
        ResidualGradientListener.builder()
            .biases(true)
            .bitWidth(8)
            .bitWidth("*", 6)
            .bitWidth("head", 12)
            .fractionalLength("first", 4)
            .build();
    listener.attachTo(network);
    Map<String, FixedPointFormat> carried = listener.carried();
    assertEquals(6, carried.size());
    assertEquals(FixedPointFormat.signed(6, 4), carried.get("first.W"));
    assertEquals(6, carried.get("layer1.W").bitWidth());
    assertEquals(12, carried.get("head.W").bitWidth());
    assertEquals(FixedPointFormat.signed(6, 4), carried.get("layer1.b"), "zeros count as -1 to 1");
    double largest = network.getParam("2_W").amaxNumber().doubleValue();
    assertTrue(carried.get("head.W").maxValue() >= 2 * largest - carried.get("head.W").scale());
  }

  @Test
  void constraintsAreFoldedIntoTheFineWeight() {
    double limit = 0.4;
    MultiLayerNetwork network =
        TestNetworks.network(
            TestNetworks.configuration(new Sgd(0.05))
                .constrainWeights(new MaxNormConstraint(limit, 1)));
    ResidualGradientListener listener = ResidualGradientListener.builder().build();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(8), 3);
    double step = listener.carried().get("first.W").scale();
    assertTrue(listener.statistics().get("first.W").outside() > 0);
    assertTrue(TestNetworks.onGrid(network.getParam("0_W"), step), "after the end of an epoch");
    double norm = network.getParam("0_W").norm2(1).maxNumber().doubleValue();
    assertTrue(norm < limit + step * 8, "the norm " + norm + " is within rounding of the limit");
    INDArray fine = listener.fineWeights("first", "W").orElseThrow();
    assertTrue(fine.norm2(1).maxNumber().doubleValue() < limit + step * 8);

    network.fit(TestNetworks.batch(0));
    listener.backOnGrid();
    assertTrue(TestNetworks.onGrid(network.getParam("0_W"), step));
  }

  @Test
  void editsByAPersonAreKept() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(1e-6));
    ResidualGradientListener listener = ResidualGradientListener.builder().build();
    listener.attachTo(network);
    network.getParam("0_W").putScalar(0, 0, 0.3);
    network.fit(TestNetworks.batch(0));
    INDArray fine = listener.fineWeights("first", "W").orElseThrow();
    assertEquals(0.3, fine.getDouble(0, 0), listener.carried().get("first.W").scale());
    assertEquals(1, listener.statistics().get("first.W").outside());
  }

  @Test
  void updatesThatAreNotFiniteLeaveTheWeightsAlone() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener listener = ResidualGradientListener.builder().biases(true).build();
    listener.attachTo(network);
    INDArray before = network.params().dup();
    network.fit(
        Nd4j.valueArrayOf(new long[] {4, TestNetworks.INPUTS}, Float.NaN),
        TestNetworks.batch(0).getLabels().getRows(0, 1, 2, 3));
    assertEquals(before, network.params());
    UpdateStatistics statistics = listener.statistics().get("first.W");
    assertEquals(statistics.weights(), statistics.skipped());
    network.fit(TestNetworks.batches(2), 2);
    assertFalse(network.params().isNaN().any());
  }

  @Test
  void stochasticAndNaiveRoundingAreOptions() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(1e-3));
    INDArray before = network.getParam("0_W").dup();
    RoundedUpdateListener naive = RoundedUpdateListener.builder().layers("first").build();
    RoundedUpdateListener chance =
        RoundedUpdateListener.builder().layers("head").stochastic(3).build();
    naive.attachTo(network);
    chance.attachTo(network);
    INDArray onGrid = network.getParam("0_W").dup();
    network.fit(TestNetworks.batches(10), 3);
    assertEquals(onGrid, network.getParam("0_W"), "no update reaches half a step");
    assertFalse(onGrid.equals(before));
    assertEquals(1.0, naive.statistics().get("first.W").deadZoneShare());
    assertTrue(chance.statistics().get("head.W").moved() > 0);
  }

  @Test
  void statisticsRunInCycles() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener listener = ResidualGradientListener.builder().build();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(3));
    long weights = TestNetworks.INPUTS * 8L;
    assertEquals(3 * weights, listener.takeStatistics().get("first.W").weights());
    network.fit(TestNetworks.batches(2));
    UpdateStatistics second = listener.takeStatistics().get("first.W");
    assertEquals(2 * weights, second.weights());
    assertTrue(second.residualNorm() > 0);
    assertEquals(UpdateStatistics.NONE, listener.statistics().get("first.W"));
  }

  @Test
  void saturationThatMustNotBeNamesTheParameter() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(100));
    ResidualGradientListener listener =
        ResidualGradientListener.builder().saturation(Saturation.FAIL).build();
    listener.attachTo(network);
    IllegalStateException thrown =
        assertThrows(IllegalStateException.class, () -> network.fit(TestNetworks.batches(9), 9));
    assertTrue(
        thrown.getMessage().matches("(first|layer1|head)\\.W: \\d+ weights left the range of Q.*"),
        thrown.getMessage());
  }

  @Test
  void rescalingKeepsTheFineWeights() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.01));
    ResidualGradientListener listener = ResidualGradientListener.builder().build();
    listener.attachTo(network);
    network.fit(TestNetworks.batches(2));
    INDArray fine = listener.fineWeights("head", "W").orElseThrow();
    int length = listener.carried().get("head.W").fractionalLength();
    assertEquals(0, listener.rescale("head", "W", length - 2));
    assertEquals(fine, listener.fineWeights("head", "W").orElseThrow());
    assertTrue(TestNetworks.onGrid(network.getParam("2_W"), Math.scalb(1.0, 2 - length)));
    network.fit(TestNetworks.batches(2));
    assertTrue(TestNetworks.onGrid(network.getParam("2_W"), Math.scalb(1.0, 2 - length)));
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> listener.rescale("tail", "W", 3));
    assertEquals(
        "parameter must be one of [first.W, layer1.W, head.W], found tail.W", thrown.getMessage());
  }

  @Test
  void periodLeavesTheWeightsBetweenReadOuts() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.2));
    AccumulatedUpdateListener listener =
        AccumulatedUpdateListener.builder().period(3).thresholdExponent(1).build();
    listener.attachTo(network);
    List<INDArray> weights = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      network.fit(TestNetworks.batch(i));
      weights.add(network.getParam("0_W").dup());
    }
    assertEquals(weights.get(0), weights.get(1));
    assertFalse(weights.get(1).equals(weights.get(2)));
    assertEquals(weights.get(2), weights.get(4));
    assertFalse(weights.get(4).equals(weights.get(5)));
  }
}
