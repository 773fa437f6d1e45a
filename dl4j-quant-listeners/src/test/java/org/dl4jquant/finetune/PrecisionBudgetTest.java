package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Splitter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.stats.WeightDifferences;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

final class PrecisionBudgetTest {
  private static final DataSet TRAIN = FineTuningNetworks.images(160, 1);

  private static DataSetIterator data() {
    return FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
  }

  private static WeightDifferences watched(Model network) {
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    listener.attachTo(network);
    FineTuningNetworks.fit(network, data(), 3);
    if (network instanceof ComputationGraph graph) {
      graph.setListeners();
    } else {
      ((MultiLayerNetwork) network).setListeners();
    }
    return listener.snapshot();
  }

  private static Map<String, Long> counts(Quantization quantization) {
    return quantization.layers().stream()
        .collect(Collectors.toMap(LayerDescription::name, LayerDescription::weightCount));
  }

  @Test
  void statisticsAndBudgetGoStraightToFineTuning() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network =
          graph
              ? FineTuningNetworks.graph(DataType.FLOAT)
              : FineTuningNetworks.layers(DataType.FLOAT);
      WeightDifferences recorded = watched(network);
      PrecisionBudget budget = PrecisionBudget.averageBits(6).withLowBits(2);
      FineTuningRun run =
          MixedPrecisionFineTuning.of(network, recorded, budget, data()).fit(data(), 1);
      PrecisionPlan plan = run.model().plan();
      Quantization quantization = Quantization.of(network);
      double bits = plan.averageWeightBits(counts(quantization));
      assertTrue(bits <= 6, plan.toString());
      List<String> low = low(quantization, plan, 2);
      List<LayerStatistic> ordered = new ArrayList<>(LayerStatistic.of(recorded));
      ordered.sort(Comparator.comparingDouble(LayerStatistic::value));
      assertEquals(
          ordered.stream().limit(low.size()).map(LayerStatistic::layer).sorted().toList(), low);
      PrecisionPlan before =
          plan.with(
              ordered.get(low.size() - 1).layer(),
              plan.of(ordered.get(low.size() - 1).layer()).withWeightBits(8));
      assertTrue(before.averageWeightBits(counts(quantization)) > 6, "one layer less would do");
    }
  }

  private static List<String> low(Quantization quantization, PrecisionPlan plan, int bits) {
    return quantization.layers().stream()
        .map(LayerDescription::name)
        .filter(layer -> plan.of(layer).weightBits() == bits)
        .sorted()
        .toList();
  }

  @Test
  void bytesAreBitsOfAllWeights() {
    Quantization quantization = Quantization.of(FineTuningNetworks.layers(DataType.FLOAT));
    List<LayerStatistic> statistics =
        quantization.layers().stream()
            .map(layer -> LayerStatistic.of(layer.name(), (double) layer.weightCount()))
            .toList();
    long weights = counts(quantization).values().stream().mapToLong(Long::longValue).sum();
    long bytes = weights * 5 / 8;
    PrecisionPlan plan = PrecisionBudget.weightBytes(bytes).plan(quantization, statistics);
    assertTrue(plan.averageWeightBits(counts(quantization)) * weights <= 8 * bytes);
    assertEquals(
        plan, PrecisionBudget.averageBits(8.0 * bytes / weights).plan(quantization, statistics));
  }

  @Test
  void whatIsPinnedStaysAndABudgetThatCannotBeMetSaysWhatCan() {
    Quantization quantization =
        Quantization.of(FineTuningNetworks.layers(DataType.FLOAT))
            .pin(LayerSelector.named("second"), 8);
    List<LayerStatistic> statistics =
        quantization.layers().stream().map(layer -> LayerStatistic.of(layer.name(), 1)).toList();
    PrecisionBudget least = PrecisionBudget.averageBits(1);
    String message =
        assertThrows(IllegalArgumentException.class, () -> least.plan(quantization, statistics))
            .getMessage();
    assertTrue(message.startsWith("bits must be at least "), message);
    double possible = Double.parseDouble(Splitter.onPattern("[ ,]+").splitToList(message).get(5));
    PrecisionPlan plan = PrecisionBudget.averageBits(possible).plan(quantization, statistics);
    assertEquals(8, plan.of("second").weightBits());
    assertEquals(possible, plan.averageWeightBits(counts(quantization)));
  }

  @Test
  void headsKeepTheBitsThatTheirClassesAskFor() {
    Quantization quantization =
        Quantization.of(FineTuningNetworks.layers(DataType.FLOAT))
            .outputClasses(OutputClassPolicy.LOG2_BOUND.withMargin(1));
    String head = quantization.heads().get(0).layer();
    List<LayerStatistic> statistics =
        quantization.layers().stream().map(layer -> LayerStatistic.of(layer.name(), 1)).toList();
    PrecisionPlan plan =
        PrecisionBudget.averageBits(4).withLowBits(2).plan(quantization, statistics);
    assertEquals(8, plan.of(head).weightBits());
  }

  @Test
  void accuracyAllowsAsManyLayersAsStayWithinIt() {
    MultiLayerNetwork network = FineTuningNetworks.layers(DataType.FLOAT);
    WeightDifferences recorded = watched(network);
    Quantization quantization = Quantization.of(network);
    PrecisionBudget anything = PrecisionBudget.drop(10, model -> 1).withLowBits(2);
    int all = low(quantization, anything.plan(quantization, recorded), 2).size();
    assertEquals(quantization.layers().size(), all);
    double[] asked = {0};
    PrecisionBudget nothing = PrecisionBudget.drop(0, model -> -asked[0]++).withLowBits(2);
    assertEquals(List.of(), low(quantization, nothing.plan(quantization, recorded), 2));
  }
}
