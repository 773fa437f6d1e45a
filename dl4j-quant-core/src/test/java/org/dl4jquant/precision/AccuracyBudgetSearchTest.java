package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
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
