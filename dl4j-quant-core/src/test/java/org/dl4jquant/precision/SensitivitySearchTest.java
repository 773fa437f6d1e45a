package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SensitivitySearchTest {
  private static final List<LayerDescription> LAYERS =
      List.of(
          new LayerDescription("a", "DenseLayer", 100),
          new LayerDescription("b", "DenseLayer", 300),
          new LayerDescription("c", "DenseLayer", 600),
          new LayerDescription("low", "DenseLayer", 10));
  private static final Map<String, Long> COUNTS =
      Map.of("a", 100L, "b", 300L, "c", 600L, "low", 10L);
  private static final PrecisionPlan START =
      PrecisionPlan.uniform(LayerPrecision.weights(8)).with("low", LayerPrecision.weights(4));

  /** Lowering a costs 1, b 6, c 3: per weight 0.01, 0.02, 0.005. */
  private static double loss(PrecisionPlan plan) {
    return 10
        + (plan.of("a").weightBits() == 4 ? 1 : 0)
        + (plan.of("b").weightBits() == 4 ? 6 : 0)
        + (plan.of("c").weightBits() == 4 ? 3 : 0);
  }

  @Test
  void cheapestBitsGoFirst() {
    SensitivitySearch found =
        SensitivitySearch.measure(LAYERS, START, 4, SensitivitySearchTest::loss);
    assertEquals(3, found.increase("c"));
    assertEquals(
        List.of("c", "a", "b"), found.order().stream().map(LayerDescription::name).toList());
    assertEquals(List.of(8, 8, 8), bits(found.plan(8, COUNTS)));
    assertEquals(List.of(8, 8, 4), bits(found.plan(6, COUNTS)));
    assertEquals(List.of(4, 8, 4), bits(found.plan(5.2, COUNTS)));
    assertEquals(List.of(4, 4, 4), bits(found.plan(1, COUNTS)));
    assertEquals(4, found.plan(1, COUNTS).of("low").weightBits());
    assertThrows(IllegalArgumentException.class, () -> found.increase("low"));
  }

  @Test
  void aLayerWithoutWhichNothingWorksGoesLast() {
    SensitivitySearch found =
        SensitivitySearch.measure(
            LAYERS, START, 4, plan -> plan.of("c").weightBits() == 4 ? Double.NaN : loss(plan));
    assertEquals(
        List.of("a", "b", "c"), found.order().stream().map(LayerDescription::name).toList());
  }

  private static List<Integer> bits(PrecisionPlan plan) {
    return List.of(plan.of("a").weightBits(), plan.of("b").weightBits(), plan.of("c").weightBits());
  }

  @Test
  void whatWasMeasuredBeforeABreakIsNotMeasuredAgain(@TempDir Path folder) {
    Path file = folder.resolve("trials.jsonl");
    AtomicInteger left = new AtomicInteger(2);
    assertThrows(
        IllegalStateException.class,
        () ->
            SensitivitySearch.measure(
                LAYERS,
                START,
                4,
                TrialLog.remembering(
                    file,
                    plan -> {
                      if (left.getAndDecrement() == 0) {
                        throw new IllegalStateException("power failure");
                      }
                      return loss(plan);
                    })));
    AtomicInteger calls = new AtomicInteger();
    SensitivitySearch resumed =
        SensitivitySearch.measure(
            LAYERS,
            START,
            4,
            TrialLog.remembering(
                file,
                plan -> {
                  calls.incrementAndGet();
                  return loss(plan);
                }));
    assertEquals(SensitivitySearch.measure(LAYERS, START, 4, SensitivitySearchTest::loss), resumed);
    assertEquals(2, calls.get());
  }
}
