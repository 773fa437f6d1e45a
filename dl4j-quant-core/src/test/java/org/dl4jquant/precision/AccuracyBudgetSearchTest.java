package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccuracyBudgetSearchTest {
  private static final PrecisionPlan FIRST = PrecisionPlan.uniform(LayerPrecision.of(8, 8));

  private static AccuracyBudgetSearch.Builder search(int layers) {
    List<String> names = IntStream.range(0, layers).mapToObj(i -> "layer" + i).toList();
    return AccuracyBudgetSearch.over(
        names.stream().map(name -> new LayerDescription(name, "DenseLayer", 10)).toList(),
        FIRST,
        names);
  }

  private static ToDoubleFunction<PrecisionPlan> metrics(double[] losses) {
    return plan -> 1 - losses[plan.layers().size()];
  }

  @Test
  void equalsALinearScanOfAnyMonotoneLoss() {
    Random random = new Random(7);
    for (int layers = 0; layers <= 40; layers++) {
      double[] losses = new double[layers + 1];
      for (int k = 1; k <= layers; k++) {
        losses[k] = losses[k - 1] + random.nextInt(3) / 64.0;
      }
      double budget = random.nextInt(layers + 2) / 64.0;
      int expected = layers;
      while (losses[expected] > budget) {
        expected--;
      }
      SearchResult result = search(layers).maxDrop(budget).build().run(metrics(losses));
      assertEquals(expected, result.best().lowPrecisionLayers());
      int most = 1 + 32 - Integer.numberOfLeadingZeros(layers); // 1 + ceil(log2(layers + 1))
      assertTrue(result.evaluations() <= most, layers + " layers: " + result.evaluations());
    }
  }

  @Test
  void findsEveryThresholdOfUpTo64LayersInLogarithmicallyManyEvaluations() {
    for (int layers = 0; layers <= 64; layers++) {
      int most = 1 + (int) Math.ceil(Math.log(layers + 1) / Math.log(2) - 1e-9);
      for (int threshold = 0; threshold <= layers; threshold++) {
        int last = threshold;
        AtomicInteger calls = new AtomicInteger();
        SearchResult result =
            search(layers)
                .build()
                .run(
                    plan -> {
                      calls.incrementAndGet();
                      return plan.layers().size() <= last ? 0.9 : 0.8;
                    });
        assertEquals(threshold, result.best().lowPrecisionLayers());
        assertEquals(calls.get(), result.evaluations());
        assertEquals(calls.get(), result.trials().size());
        assertTrue(calls.get() <= most, layers + " layers, " + threshold + ": " + calls.get());
      }
    }
  }

  @Test
  void whereTheLossIsNotMonotoneTheAnswerWasStillSeenWithinTheBudget() {
    Random random = new Random(11);
    for (int round = 0; round < 300; round++) {
      int layers = 1 + random.nextInt(20);
      double[] losses = new double[layers + 1];
      for (int k = 1; k <= layers; k++) {
        losses[k] = random.nextInt(4) / 64.0;
      }
      SearchResult result = search(layers).maxDrop(1 / 64.0).build().run(metrics(losses));
      Trial best = result.best();
      assertTrue(result.trials().contains(best));
      assertTrue(best.loss() <= 1 / 64.0);
      assertEquals(losses[best.lowPrecisionLayers()], best.loss());
      for (Trial trial : result.trials()) {
        assertTrue(
            trial.loss() > 1 / 64.0 || trial.lowPrecisionLayers() <= best.lowPrecisionLayers());
      }
    }
  }

  @Test
  void confirmationWalksDownToWhatTheSecondEvaluatorAccepts() {
    double[] second = {0.1, 0.1, 0.1, 0.1, 0.105, 0.12, 0.12, 0.12, 0.12};
    List<Integer> asked = new ArrayList<>();
    SearchResult result =
        search(8)
            .maxDrop(0.01)
            .confirmWith(
                plan -> {
                  asked.add(plan.layers().size());
                  return 1 - second[plan.layers().size()];
                })
            .build()
            .run(plan -> plan.layers().size() <= 6 ? 1 : 0);
    assertEquals(List.of(0, 6, 5, 4), asked);
    assertEquals(4, result.best().lowPrecisionLayers());
    assertEquals(SearchResult.StopReason.FINISHED, result.reason());
  }

  @Test
  void theWalkDownPassesWhatOnlyTheSecondEvaluatorAccepts() {
    // Binary search of 7 layers asks 4, 6, 7; the walk goes 6, 5, 4, 3.
    double[] first = {0, 0, 0, 0, 0, 0.5, 0, 0.5};
    double[] second = {0, 0, 0, 0, 0.5, 0, 0.5, 0.5};
    SearchResult result = search(7).confirmWith(metrics(second)).build().run(metrics(first));
    assertEquals(3, result.best().lowPrecisionLayers());
    assertEquals(
        List.of(0, 4, 6, 7, 5, 3),
        result.trials().stream().map(Trial::lowPrecisionLayers).toList());
    assertEquals(6, result.evaluations());
  }

  @Test
  void withNothingConfirmedTheAnswerIsTheBaseline() {
    SearchResult result =
        search(3)
            .confirmWith(plan -> plan.layers().isEmpty() ? 1 : Double.NaN)
            .build()
            .run(plan -> 1);
    assertEquals(0, result.best().lowPrecisionLayers());
    assertEquals(FIRST, result.best().plan());
  }

  @Test
  void anInterruptedSearchGivesItsBestAndGoesOnFromItsLog(@TempDir Path folder) {
    Path file = folder.resolve("trials.jsonl");
    double[] losses = new double[17];
    Arrays.fill(losses, 14, 17, 0.5);
    SearchResult whole = search(16).build().run(metrics(losses));
    SearchResult cut;
    try {
      cut =
          search(16)
              .trialLog(file)
              .build()
              .run(
                  plan -> {
                    if (plan.layers().size() == 12) {
                      Thread.currentThread().interrupt();
                    }
                    return metrics(losses).applyAsDouble(plan);
                  });
    } finally {
      assertTrue(Thread.interrupted(), "the search must leave the thread interrupted");
    }
    assertEquals(SearchResult.StopReason.INTERRUPTED, cut.reason());
    assertEquals(12, cut.best().lowPrecisionLayers());
    assertEquals(3, cut.evaluations());

    SearchResult resumed = search(16).trialLog(file).build().run(metrics(losses));
    assertEquals(SearchResult.StopReason.FINISHED, resumed.reason());
    assertEquals(13, resumed.best().lowPrecisionLayers());
    assertEquals(whole.best().plan(), resumed.best().plan());
    assertEquals(whole.evaluations() - cut.evaluations(), resumed.evaluations());
    assertEquals(
        List.of(true, true, true), resumed.trials().stream().map(Trial::fromLog).limit(3).toList());
    assertFalse(resumed.trials().get(3).fromLog());
  }

  @Test
  void interruptionEndsAlsoTheWalkDown() {
    SearchResult result;
    try {
      result =
          search(7)
              .confirmWith(
                  plan -> {
                    Thread.currentThread().interrupt();
                    return plan.layers().isEmpty() ? 1 : 0;
                  })
              .build()
              .run(plan -> 1);
    } finally {
      assertTrue(Thread.interrupted(), "the search must leave the thread interrupted");
    }
    assertEquals(SearchResult.StopReason.INTERRUPTED, result.reason());
    assertEquals(0, result.best().lowPrecisionLayers());
  }

  @Test
  void anEvaluatorThatThrowsLosesNoTrialBefore(@TempDir Path folder) {
    Path file = folder.resolve("trials.jsonl");
    AccuracyBudgetSearch broken = search(8).trialLog(file).build();
    assertThrows(
        IllegalStateException.class,
        () ->
            broken.run(
                plan -> {
                  if (plan.layers().size() == 6) {
                    throw new IllegalStateException("out of memory");
                  }
                  return 1;
                }));
    SearchResult resumed = search(8).trialLog(file).build().run(plan -> 1);
    assertEquals(8, resumed.best().lowPrecisionLayers());
    assertEquals(resumed.trials().size() - 2, resumed.evaluations()); // 0 and 4 are in the log
  }

  @Test
  void aLimitOfEvaluationsGivesTheBestSoFar() {
    SearchResult result = search(16).maxEvaluations(3).build().run(plan -> 1);
    assertEquals(SearchResult.StopReason.MAX_EVALUATIONS, result.reason());
    assertEquals(12, result.best().lowPrecisionLayers());
    assertEquals(3, result.evaluations());
  }

  @Test
  void anEmptyRankingHasNoCandidates() {
    SearchResult result = search(0).build().run(plan -> 1);
    assertEquals(SearchResult.StopReason.NO_CANDIDATES, result.reason());
    assertEquals(result.baseline(), result.best());
  }

  @Test
  void aLossOfExactlyTheBudgetIsWithinItAlthoughMetricsAreRounded() {
    double baseline = 340 / 400.0;
    double within = 336 / 400.0;
    assertTrue(baseline - within > 0.01, "the difference is rounded up");
    SearchResult result = search(1).build().run(p -> p.layers().isEmpty() ? baseline : within);
    assertEquals(1, result.best().lowPrecisionLayers());
    SearchResult worse =
        search(1).build().run(p -> p.layers().isEmpty() ? baseline : within - 1e-9);
    assertEquals(0, worse.best().lowPrecisionLayers());
  }

  @Test
  void aMetricThatIsBetterLowerIsHeldToTheSameBudget() {
    SearchResult result =
        search(7)
            .direction(MetricDirection.LOWER_IS_BETTER)
            .maxDrop(0.25)
            .build()
            .run(plan -> plan.layers().size() / 8.0);
    assertEquals(2, result.best().lowPrecisionLayers());
    assertEquals(0.25, result.best().loss());
  }

  @Test
  void theParetoFrontHasNoTrialThatAnotherBeats() {
    // 7 layers of 10 weights from 8 to 4 bits; asked: 0, 4, 6, 7.
    double[] losses = {0, 0, 0, 0, -0.25, 0, 0, 0.5};
    SearchResult result = search(7).build().run(metrics(losses));
    assertEquals(
        List.of(7, 6, 4), result.paretoFront().stream().map(Trial::lowPrecisionLayers).toList());
  }

  @Test
  void aNanMetricIsNeverWithinTheBudget() {
    SearchResult result = search(3).build().run(plan -> plan.layers().size() > 1 ? Double.NaN : 1);
    assertEquals(1, result.best().lowPrecisionLayers());
  }

  @Test
  void resumesFromItsLogAlsoAfterANanMetric(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("trials.jsonl");
    ToDoubleFunction<PrecisionPlan> evaluator = plan -> plan.layers().size() > 1 ? Double.NaN : 1;
    SearchResult before = search(5).trialLog(file).build().run(evaluator);
    Files.writeString(file, Files.readString(file) + "{\"plan\":\"cut o");
    SearchResult again = search(5).trialLog(file).build().run(evaluator);
    assertEquals(0, again.evaluations());
    assertEquals(before.best().plan(), again.best().plan());
  }

  @Test
  void rejectsADamagedLineOfTheLog(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("trials.jsonl");
    Files.writeString(file, "{\"plan\":\"a\",\"metric\":\"high\"}\n");
    AccuracyBudgetSearch.Builder builder = search(2).trialLog(file);
    InvalidPlanException e = assertThrows(InvalidPlanException.class, builder::build);
    assertEquals(file + ": line 1 must have a plan and a metric", e.getMessage());
  }

  @Test
  void rejectsANegativeBudget() {
    AccuracyBudgetSearch.Builder builder = search(2);
    var e = assertThrows(IllegalArgumentException.class, () -> builder.maxDrop(-0.1));
    assertEquals("maxDrop must be finite and not negative, found -0.1", e.getMessage());
  }
}
