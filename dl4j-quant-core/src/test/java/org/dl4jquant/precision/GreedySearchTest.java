package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.dl4jquant.precision.SearchResult.StopReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GreedySearchTest {
  private static final PrecisionPlan FIRST = PrecisionPlan.uniform(LayerPrecision.weights(8));

  private static List<LayerDescription> layers(long... weights) {
    return IntStream.range(0, weights.length)
        .mapToObj(i -> new LayerDescription("layer" + i, "DenseLayer", weights[i]))
        .toList();
  }

  private static List<String> names(List<LayerDescription> layers) {
    return layers.stream().map(LayerDescription::name).toList();
  }

  private static GreedySearch.Builder measuring(long... weights) {
    return GreedySearch.measuring(layers(weights), FIRST, names(layers(weights)));
  }

  private static GreedySearch.Builder over(long... weights) {
    return GreedySearch.over(layers(weights), FIRST, names(layers(weights)));
  }

  /** The metric falls by the cost of each layer times the bits that it lacks. */
  private static ToDoubleFunction<PrecisionPlan> costs(double... perBit) {
    return plan -> {
      double metric = 1;
      for (int i = 0; i < perBit.length; i++) {
        metric -= perBit[i] * (8 - plan.of("layer" + i).weightBits());
      }
      return metric;
    };
  }

  private static List<Integer> bits(SearchResult result, int layers) {
    return IntStream.range(0, layers)
        .mapToObj(i -> result.best().plan().of("layer" + i).weightBits())
        .toList();
  }

  @Test
  void findsTheOptimumOfLayersOfEqualSizeWhoseLossesAdd() {
    Random random = new Random(3);
    for (int round = 0; round < 100; round++) {
      double[] costs = random.doubles(6).map(x -> x / 64).toArray();
      int lowered = random.nextInt(7);
      SearchResult result =
          measuring(10, 10, 10, 10, 10, 10)
              .averageBits(8 - 4 * lowered / 6.0 + 1e-9)
              .build()
              .run(costs(costs));
      double least = Double.POSITIVE_INFINITY;
      for (int set = 0; set < 64; set++) {
        double loss = 0;
        for (int i = 0; i < 6; i++) {
          loss += (set >> i & 1) * 4 * costs[i];
        }
        least = Integer.bitCount(set) == lowered ? Math.min(least, loss) : least;
      }
      assertEquals(lowered, result.lowPrecisionLayers().size());
      assertEquals(least, result.best().loss(), 1e-12);
      assertEquals(StopReason.FINISHED, result.reason());
    }
  }

  @Test
  void findsTheMostLayersWithinABudgetOfLoss() {
    SearchResult result =
        measuring(10, 10, 10, 10).maxDrop(0.25).build().run(costs(1 / 32.0, 1, 0, 1 / 64.0));
    assertEquals(List.of(4, 8, 4, 4), bits(result, 4));
    assertEquals(List.of("layer2", "layer3", "layer0"), result.lowPrecisionLayers());
    assertEquals(List.of("layer2", "layer3", "layer0", "layer1"), result.ranking());
    assertEquals(0.1875, result.best().loss());
    // Layer 1 breaks the budget in the first round and is not tried again.
    assertEquals(1 + 4 + 2 + 1, result.evaluations());
    assertEquals(StopReason.FINISHED, result.reason());
  }

  @Test
  void measuresAgainWhatALoweredLayerMakesDear() {
    ToDoubleFunction<PrecisionPlan> metric =
        plan -> {
          boolean zero = plan.of("layer0").weightBits() == 4;
          boolean one = plan.of("layer1").weightBits() == 4;
          boolean two = plan.of("layer2").weightBits() == 4;
          return 10 - (zero ? 1 : 0) - (one ? 1.5 : 0) - (two ? 2 : 0) - (zero && one ? 5 : 0);
        };
    SearchResult result = measuring(10, 10, 10).averageBits(5.5).build().run(metric);
    assertEquals(List.of(4, 8, 4), bits(result, 3));
    assertEquals(
        SensitivitySearch.measure(layers(10, 10, 10), FIRST, 4, plan -> -metric.applyAsDouble(plan))
            .plan(5.5, Map.of("layer0", 10L, "layer1", 10L, "layer2", 10L)),
        FIRST.with("layer0", LayerPrecision.weights(4)).with("layer1", LayerPrecision.weights(4)),
        "what each costs alone is deceived");
  }

  @Test
  void takesALayerThroughAllWidths() {
    SearchResult result =
        measuring(10, 10).lowBits(2, 6, 4).maxDrop(0.5).build().run(costs(1 / 16.0, 1 / 8.0));
    assertEquals(List.of(2, 8), bits(result, 2));
    assertEquals(List.of("layer0"), result.lowPrecisionLayers());
    assertEquals(0.375, result.best().loss());
    SearchResult both =
        over(10, 10).lowBits(2, 6, 4).maxDrop(0.5).build().run(costs(1 / 16.0, 1 / 8.0));
    assertEquals(List.of(4, 6), bits(both, 2), "each width goes through all layers first");
    assertEquals(List.of("layer0", "layer1"), both.lowPrecisionLayers());
  }

  @Test
  void theLastLayerIsTheOneThatMeetsTheSizeForLeast() {
    // Layer 0 costs least per bit, but layer 2 is enough and costs less.
    SearchResult result =
        measuring(1000, 10, 90).averageBits(7.9).build().run(costs(0.1, 0.02, 0.05));
    assertEquals(List.of(8, 8, 4), bits(result, 3));
    assertEquals(0.2, result.best().loss(), 1e-12);
  }

  @Test
  void anOrderPassesLayersThatBreakTheBudgetWhereBinarySearchEnds() {
    ToDoubleFunction<PrecisionPlan> metric = costs(0, 1, 0, 0);
    SearchResult result = over(10, 10, 10, 10).build().run(metric);
    assertEquals(List.of(4, 8, 4, 4), bits(result, 4));
    assertEquals(5, result.evaluations());
    SearchResult binary =
        AccuracyBudgetSearch.over(layers(10, 10, 10, 10), FIRST, names(layers(10, 10, 10, 10)))
            .build()
            .run(metric);
    assertEquals(1, binary.best().lowPrecisionLayers());
  }

  @Test
  void equalLayersGoInTheOrderOfTheNetwork() {
    SearchResult result = measuring(10, 10, 10).averageBits(6.7).build().run(plan -> 1);
    assertEquals(List.of("layer0"), result.lowPrecisionLayers());
    SearchResult larger = measuring(10, 30, 30).averageBits(7).build().run(plan -> 1);
    assertEquals(List.of("layer1"), larger.lowPrecisionLayers(), "what costs nothing saves most");
  }

  @Test
  void aBudgetOfBytesIsOneOfBits() {
    SearchResult result = measuring(100, 100).weightBytes(150).build().run(costs(0.5, 0.25));
    assertEquals(List.of(8, 4), bits(result, 2));
    assertEquals(6, result.best().averageWeightBits());
  }

  @Test
  void aMetricThatIsNoNumberLowersNothing() {
    for (GreedySearch.Builder builder : List.of(measuring(10, 10), over(10, 10))) {
      SearchResult result =
          builder.averageBits(4).build().run(plan -> plan.layers().isEmpty() ? 1 : Double.NaN);
      assertEquals(FIRST, result.best().plan());
      assertEquals(StopReason.OUT_OF_REACH, result.reason());
      assertEquals(3, result.evaluations());
    }
    SearchResult blind = measuring(10).build().run(plan -> Double.NaN);
    assertEquals(FIRST, blind.best().plan());
  }

  @Test
  void aSizeThatNothingMeetsGivesTheSmallestWithinTheBudget() {
    SearchResult result = measuring(10, 10).averageBits(3).build().run(costs(0.1, 0.1));
    assertEquals(List.of(4, 4), bits(result, 2));
    assertEquals(StopReason.OUT_OF_REACH, result.reason());
    SearchResult both = measuring(10, 10).averageBits(4).maxDrop(0.5).build().run(costs(0.1, 0.5));
    assertEquals(List.of(4, 8), bits(both, 2));
    assertEquals(StopReason.OUT_OF_REACH, both.reason());
  }

  @Test
  void withAllLayersPinnedThereIsNothingToTry() {
    SearchResult result =
        GreedySearch.measuring(layers(10, 10), FIRST, List.of()).build().run(plan -> 1);
    assertEquals(StopReason.NO_CANDIDATES, result.reason());
    assertEquals(1, result.evaluations());
    SearchResult bound = measuring(10).leastBits(Map.of("layer0", 5)).build().run(plan -> 1);
    assertEquals(StopReason.NO_CANDIDATES, bound.reason());
    assertEquals(ImmutableMap.of("layer0", "its outputs ask for at least 5 bits"), bound.leftOut());
    SearchResult partly =
        measuring(10).leastBits(Map.of("layer0", 5)).lowBits(6, 4).build().run(plan -> 1);
    assertEquals(List.of(6), bits(partly, 1));
  }

  @Test
  void aSearchThatBreaksGoesOnFromItsLogToTheSameResult(@TempDir Path folder) {
    double[] costs = new Random(5).doubles(6).map(x -> x / 64).toArray();
    SearchResult whole = measuring(10, 20, 30, 20, 10, 50).averageBits(5).build().run(costs(costs));
    for (int most = 1; most < whole.evaluations(); most++) {
      Path file = folder.resolve(most + ".jsonl");
      AtomicInteger left = new AtomicInteger(most);
      GreedySearch broken = measuring(10, 20, 30, 20, 10, 50).averageBits(5).trialLog(file).build();
      assertThrows(
          IllegalStateException.class,
          () ->
              broken.run(
                  plan -> {
                    if (left.getAndDecrement() == 0) {
                      throw new IllegalStateException("power failure");
                    }
                    return costs(costs).applyAsDouble(plan);
                  }));
      SearchResult resumed =
          measuring(10, 20, 30, 20, 10, 50).averageBits(5).trialLog(file).build().run(costs(costs));
      assertEquals(whole.best().plan(), resumed.best().plan());
      assertEquals(whole.ranking(), resumed.ranking());
      assertEquals(whole.trials().size(), resumed.trials().size());
      assertEquals(whole.evaluations() - most, resumed.evaluations());
    }
  }

  @Test
  void aStoppedSearchGivesWhatItHasLowered() {
    SearchResult few =
        measuring(10, 10, 10).maxDrop(1).maxEvaluations(5).build().run(costs(0, 0.01, 0.02));
    assertEquals(StopReason.MAX_EVALUATIONS, few.reason());
    assertEquals(5, few.evaluations());
    assertEquals(List.of("layer0"), few.lowPrecisionLayers());
    SearchResult interrupted;
    try {
      interrupted =
          over(10, 10, 10)
              .build()
              .run(
                  plan -> {
                    if (plan.layers().size() == 2) {
                      Thread.currentThread().interrupt();
                    }
                    return 1;
                  });
    } finally {
      assertTrue(Thread.interrupted(), "the search must leave the thread interrupted");
    }
    assertEquals(StopReason.INTERRUPTED, interrupted.reason());
    assertEquals(List.of("layer0", "layer1"), interrupted.lowPrecisionLayers());
  }

  @Test
  void aBuilderThatGoesOnChangesNoSearchThatItBuilt() {
    GreedySearch.Builder builder = measuring(10, 10);
    GreedySearch search = builder.build();
    builder
        .leastBits(Map.of("layer0", 8))
        .direction(MetricDirection.LOWER_IS_BETTER)
        .maxEvaluations(1)
        .averageBits(8);
    assertEquals(List.of(4, 8), bits(search.run(costs(0, 1)), 2));
  }

  @Test
  void allTrialsAreInTheParetoFront() {
    List<Trial> seen = new ArrayList<>();
    SearchResult result =
        measuring(10, 10, 10).maxDrop(1).onTrial(seen::add).build().run(costs(0.01, 0.02, 0.04));
    assertEquals(seen, result.trials());
    assertEquals(
        List.of(4.0, 16 / 3.0, 20 / 3.0, 8.0),
        result.paretoFront().stream().map(Trial::averageWeightBits).toList());
  }

  @Test
  void rejectsWidthsThatAreNone() {
    GreedySearch.Builder builder = measuring(10);
    var none = assertThrows(IllegalArgumentException.class, builder::lowBits);
    assertEquals("lowBits must name a width, found none", none.getMessage());
    assertThrows(IllegalArgumentException.class, () -> builder.lowBits(1));
    assertThrows(IllegalArgumentException.class, () -> builder.averageBits(0));
    assertThrows(IllegalArgumentException.class, () -> builder.weightBytes(0));
  }
}
