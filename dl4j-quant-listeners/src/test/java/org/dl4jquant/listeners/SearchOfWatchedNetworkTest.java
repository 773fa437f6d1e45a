package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.precision.SearchResult;
import org.dl4jquant.stats.TrainingCycle;
import org.dl4jquant.stats.WeightDifferences;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** From what a listener recorded to the search, and what must not pass on the way. */
final class SearchOfWatchedNetworkTest {
  private static final int BATCHES = 4;

  private final WeightDifferenceListener listener =
      WeightDifferenceListener.builder().cycle(TrainingCycle.Unit.ITERATION).build();

  @Test
  void everyLayerThatWasWatchedIsRanked() {
    ComputationGraph network = TestNetworks.graph(new Adam(0.01));
    network.addListeners(listener);
    network.fit(TestNetworks.batches(BATCHES));

    SearchResult found = search(Quantization.of(network), listener.snapshot());

    assertEquals(
        List.of("head", "left", "right"), found.lowPrecisionLayers().stream().sorted().toList());
    assertEquals(Map.of(), found.leftOut());
  }

  @Test
  void anotherNetworkIsRefused() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    network.addListeners(listener);
    network.fit(TestNetworks.batches(BATCHES));
    Quantization another = Quantization.of(TestNetworks.graph(new Sgd(0.1)));

    assertEquals(
        "network must be the one that was watched, with layer first of 48 weights, "
            + "found no layer first among [left, right, head]",
        assertThrows(IllegalArgumentException.class, () -> search(another, listener.snapshot()))
            .getMessage());
  }

  @Test
  void dataWithoutBatchesLeaveNothingToRankBy() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    network.addListeners(listener);
    network.fit(TestNetworks.batches(0));

    assertEquals(
        "no cycle of training was seen: a cycle is 1 iteration(s); train for longer, or choose a"
            + " shorter cycle",
        assertThrows(
                IllegalStateException.class,
                () -> search(Quantization.of(network), listener.snapshot()))
            .getMessage());
  }

  @Test
  void weightsThatBecameNanAreNamed() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    network.addListeners(listener);
    network.fit(TestNetworks.batches(BATCHES));
    network.getLayer(1).getParam("W").putScalar(2, 3, Float.NaN);
    Quantization quantization = Quantization.of(network);

    assertEquals(
        "parameter W of layer layer1 must hold only finite numbers, found 1 that are NaN or"
            + " infinite",
        assertThrows(IllegalArgumentException.class, quantization::convert).getMessage());
  }

  private static SearchResult search(Quantization quantization, WeightDifferences differences) {
    return quantization.search(differences).build().run(quantization.evaluating(model -> 1));
  }
}
