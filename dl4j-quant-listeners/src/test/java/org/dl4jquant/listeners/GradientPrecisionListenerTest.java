package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.format.FixedPointFormat;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

final class GradientPrecisionListenerTest {
  /** Copies the gradients as they are when it is its turn. */
  private static final class Copies extends BaseTrainingListener {
    final Map<String, INDArray> gradients = new HashMap<>();

    @Override
    public void onGradientCalculation(Model model) {
      model
          .gradient()
          .gradientForVariable()
          .forEach((name, array) -> gradients.put(name, array.detach().dup()));
    }
  }

  private static double step(INDArray gradient, int bits) {
    return FixedPointFormat.covering(gradient.amaxNumber().doubleValue(), bits).scale();
  }

  @Test
  void everyGradientHasItsBitsBeforeTheUpdater() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.5));
    INDArray before = network.params().dup();
    Copies raw = new Copies();
    Copies rounded = new Copies();
    GradientPrecisionListener listener =
        GradientPrecisionListener.builder().bitWidth(6).bitWidth("head", 3).build();
    network.setListeners(raw, listener, rounded);
    DataSet batch = TestNetworks.batch(1);
    network.fit(batch);

    for (Map.Entry<String, INDArray> gradient : raw.gradients.entrySet()) {
      double step = step(gradient.getValue(), gradient.getKey().startsWith("2") ? 3 : 6);
      INDArray seen = rounded.gradients.get(gradient.getKey());
      assertTrue(TestNetworks.onGrid(seen, step), gradient.getKey());
      assertFalse(TestNetworks.onGrid(gradient.getValue(), step), gradient.getKey());
      assertTrue(seen.sub(gradient.getValue()).amaxNumber().doubleValue() <= step / 2);
    }
    INDArray applied = before.sub(network.params()).div(0.5).mul(batch.numExamples());
    INDArray first = rounded.gradients.get("0_b");
    assertEquals(
        0,
        applied
            .get(NDArrayIndex.all(), NDArrayIndex.interval(48, 56))
            .sub(first.reshape(1, 8))
            .amaxNumber()
            .doubleValue(),
        1e-4,
        "the updater gets the rounded gradient");
    assertEquals(
        Set.of("first.W", "first.b", "layer1.W", "layer1.b", "head.W", "head.b"),
        listener.statistics().keySet());
    assertEquals(48, listener.statistics().get("first.W").values());
  }

  @Test
  void gradientsOfAGraphAreRoundedByLayer() {
    ComputationGraph graph = TestNetworks.graph(new Adam(1e-3));
    Copies raw = new Copies();
    Copies rounded = new Copies();
    GradientPrecisionListener listener =
        GradientPrecisionListener.builder().layers("le*").bitWidth(4).build();
    graph.setListeners(raw, listener, rounded);
    graph.fit(TestNetworks.batch(1));

    double step = step(raw.gradients.get("left_W"), 4);
    assertTrue(TestNetworks.onGrid(rounded.gradients.get("left_W"), step));
    assertEquals(raw.gradients.get("right_W"), rounded.gradients.get("right_W"));
    assertEquals(Set.of("left.W", "left.b"), listener.statistics().keySet());
  }

  @Test
  void gradientsTakeTheDigitsOfTheResiduals() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener carrier = ResidualGradientListener.builder().extraBits(3).build();
    carrier.attachTo(network);
    Copies rounded = new Copies();
    network.addListeners(
        GradientPrecisionListener.builder().bitWidth(24).digitsOf(carrier).build(), rounded);
    network.fit(TestNetworks.batches(3), 2);

    double residualStep = carrier.carried().get("first.W").scale() / 8;
    assertTrue(TestNetworks.onGrid(rounded.gradients.get("0_W"), residualStep));
    assertFalse(TestNetworks.onGrid(rounded.gradients.get("0_W"), residualStep * 2));
  }

  @Test
  void weightsGradientsAndResidualsInLimitedPrecisionStillLearn() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.05));
    ResidualGradientListener.builder().bitWidth(6).biases(true).build().attachTo(network);
    network.addListeners(GradientPrecisionListener.builder().bitWidth(6).build());
    double before = network.score(TestNetworks.batch(0));
    network.fit(TestNetworks.batches(5), 60);
    assertTrue(network.score(TestNetworks.batch(0)) < 0.8 * before);
  }

  @Test
  void patternWithoutLayerIsRefused() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    network.setListeners(GradientPrecisionListener.builder().bitWidth("tail", 4).build());
    assertEquals(
        "layers must match a layer of [first, layer1, head], found tail",
        assertThrows(IllegalArgumentException.class, () -> network.fit(TestNetworks.batch(0)))
            .getMessage());
  }

  @Test
  void theErrorSignalHasItsBitsAndTheScoreStays() {
    LossMCXENT loss = new LossMCXENT();
    RoundedErrorLoss rounded = new RoundedErrorLoss(loss, 5);
    INDArray labels = TestNetworks.batch(0).getLabels();
    INDArray scores = Nd4j.arange(48).reshape(16, TestNetworks.CLASSES).muli(0.7);
    ActivationSoftmax softmax = new ActivationSoftmax();

    INDArray raw = loss.computeGradient(labels, scores.dup(), softmax, null);
    INDArray error = rounded.computeGradient(labels, scores.dup(), softmax, null);

    assertTrue(TestNetworks.onGrid(error, 1.0 / 16));
    assertTrue(error.sub(raw).amaxNumber().doubleValue() <= 1.0 / 32);
    assertEquals(
        error,
        rounded.computeGradientAndScore(labels, scores.dup(), softmax, null, true).getSecond());
    assertEquals(
        loss.computeScore(labels, scores.dup(), softmax, null, true),
        rounded.computeScore(labels, scores.dup(), softmax, null, true));
    assertEquals(
        "bits must be between 2 and 24, found 1",
        assertThrows(IllegalArgumentException.class, () -> new RoundedErrorLoss(loss, 1))
            .getMessage());
  }

  @Test
  void theLossTravelsWithTheConfiguration() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            TestNetworks.configuration(new Sgd(0.1))
                .list()
                .layer(
                    new OutputLayer.Builder(new RoundedErrorLoss(new LossMCXENT(), 7))
                        .nIn(TestNetworks.INPUTS)
                        .nOut(TestNetworks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
    network.init();
    network.fit(TestNetworks.batch(0));

    MultiLayerConfiguration read =
        MultiLayerConfiguration.fromJson(network.getLayerWiseConfigurations().toJson());

    OutputLayer head = (OutputLayer) read.getConf(0).getLayer();
    assertEquals(List.of(new RoundedErrorLoss(new LossMCXENT(), 7)), List.of(head.getLossFn()));
  }
}
