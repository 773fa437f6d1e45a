package org.dl4jquant.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.dl4jquant.format.FixedPointFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class FineWeightsTest {
  private static final FixedPointFormat Q4 = FixedPointFormat.signed(8, 4);

  /** One weight at a time: applies the update u (added, as in the publications). */
  private static void add(FineWeights fine, double[] weight, double update) {
    weight[0] += update;
    fine.subtract(ValueBuffer.of(new double[] {-update}), ValueBuffer.of(weight));
  }

  private static String golden(UpdateRule rule) {
    double[] weight = {0};
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
    StringBuilder states = new StringBuilder();
    for (int i = 0; i < 14; i++) {
      add(fine, weight, i < 8 ? 0.02 : -0.05);
      states.append('(').append(fine.code(0)).append(',').append(fine.residual(0)).append(')');
      assertEquals(fine.code(0) / 16.0, weight[0]);
    }
    return states.toString();
  }

  @Test
  void accumulationBufferGoesThroughItsGoldenStates() {
    assertEquals(
        "(0,20)(0,40)(0,60)(1,16)(1,36)(1,56)(2,12)(2,32)"
            + "(2,-19)(1,-6)(1,-57)(0,-44)(-1,-31)(-2,-18)",
        golden(UpdateRule.accumulated(Q4).withExtraBits(6)));
  }

  @Test
  void concatenatedResidualGoesThroughItsGoldenStates() {
    assertEquals(
        "(0,20)(0,40)(0,60)(1,16)(1,36)(1,56)(2,12)(2,32)"
            + "(1,45)(0,58)(0,7)(-1,20)(-2,33)(-3,46)",
        golden(UpdateRule.residual(Q4).withExtraBits(6).withReadOut(ReadOut.FLOOR)));
  }

  @Test
  void naiveRoundingOfTheGoldenUpdatesEndsSixStepsDown() {
    assertTrue(
        golden(UpdateRule.of(Q4, ReadOut.NAIVE_ROUNDING).withExtraBits(6)).endsWith("(-6,0)"));
  }

  @Test
  void bitExactFormKeepsAnExactNegativeMultipleBack() {
    double[] weight = {0};
    UpdateRule rule = UpdateRule.accumulated(Q4).withExtraBits(6);
    FineWeights hardware =
        FineWeights.start(rule.withReadOut(ReadOut.BIT_EXACT), ValueBuffer.of(weight));
    add(hardware, weight, -2 / 16.0);
    assertEquals(-1, hardware.code(0));
    assertEquals(-64, hardware.residual(0));
    for (int i = 0; i < 10; i++) {
      add(hardware, weight, 0);
    }
    assertEquals(-1, hardware.code(0), "the step that is held back is never applied");

    double[] same = {0};
    FineWeights arithmetic = FineWeights.start(rule, ValueBuffer.of(same));
    add(arithmetic, same, -2 / 16.0);
    assertEquals(-2, arithmetic.code(0));
    assertEquals(0, arithmetic.residual(0));
  }

  @ParameterizedTest
  @EnumSource(
      value = ReadOut.class,
      names = {"TRUNC_THRESHOLD", "FLOOR", "NEAREST", "BIT_EXACT"})
  void fineWeightIsTheExactSumOfTunedUpdates(ReadOut readOut) {
    for (Tuning tuning : Tuning.values()) {
      UpdateRule rule =
          UpdateRule.of(FixedPointFormat.signed(16, 6), readOut).withPeriod(3).withTuning(tuning);
      SplittableRandom random = new SplittableRandom(7);
      double[] weight = {0.37};
      FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
      long expected = (long) Math.rint(0.37 * (1 << 18));
      assertEquals(expected, fine.sum(0));
      for (int i = 0; i < 100_000; i++) {
        double update = (float) ((random.nextDouble() - 0.5) * Math.scalb(1.0, -(i % 15)));
        double digits = update * (1 << 18);
        expected += (long) (tuning == Tuning.ROUND ? Math.floor(digits + 0.5) : Math.floor(digits));
        add(fine, weight, update);
        if (fine.sum(0) != expected) {
          assertEquals(expected, fine.sum(0), "after update " + i);
        }
        if (i % 3 == 2) {
          assertResidualInRange(rule, fine.residual(0));
        }
      }
    }
  }

  private static void assertResidualInRange(UpdateRule rule, long residual) {
    long step = 1L << rule.extraBits();
    boolean inRange =
        switch (rule.readOut()) {
          case FLOOR -> residual >= 0 && residual < step;
          case NEAREST -> residual >= -step / 2 && residual < step / 2;
          case TRUNC_THRESHOLD -> Math.abs(residual) < step;
          case BIT_EXACT -> residual >= -step && residual < step;
          default -> residual == 0;
        };
    if (!inRange) {
      throw new AssertionError(rule.readOut() + " left a residual of " + residual);
    }
  }

  @Test
  void higherThresholdMovesTheWeightInItsMultiples() {
    UpdateRule rule = UpdateRule.accumulated(Q4).withThresholdExponent(2);
    double[] weight = {3 / 16.0};
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
    for (int i = 0; i < 3; i++) {
      add(fine, weight, 1 / 16.0);
      assertEquals(3, fine.code(0));
    }
    add(fine, weight, 1 / 16.0);
    assertEquals(7, fine.code(0));
    add(fine, weight, -9.5 / 16.0);
    assertEquals(-1, fine.code(0));
    assertEquals(-3 * 2048, fine.residual(0));
  }

  @Test
  void weightIsReadOutOncePerPeriod() {
    UpdateRule rule = UpdateRule.residual(Q4).withPeriod(4);
    double[] weight = {0};
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
    long[] codes = new long[8];
    for (int i = 0; i < 8; i++) {
      add(fine, weight, 1 / 16.0);
      codes[i] = fine.code(0);
    }
    assertArrayEquals(new long[] {0, 0, 0, 4, 4, 4, 4, 8}, codes);
  }

  @Test
  void clampedWeightTurnsBackAtOnce() {
    for (ReadOut readOut : new ReadOut[] {ReadOut.FLOOR, ReadOut.NEAREST}) {
      double[] weight = {7};
      FineWeights fine = FineWeights.start(UpdateRule.of(Q4, readOut), ValueBuffer.of(weight));
      add(fine, weight, 5);
      assertEquals(127, fine.code(0));
      assertEquals(0, fine.residual(0), "no residual at the rail");
      add(fine, weight, -1 / 16.0);
      assertEquals(126, fine.code(0));
      add(fine, weight, -100);
      assertEquals(-128, fine.code(0));
      assertEquals(0, fine.residual(0));
    }
  }

  @Test
  void clampedBufferKeepsLessThanItsThreshold() {
    double[] weight = {7.75};
    FineWeights fine = FineWeights.start(UpdateRule.accumulated(Q4), ValueBuffer.of(weight));
    for (int i = 0; i < 100; i++) {
      add(fine, weight, 0.9);
      assertTrue(Math.abs(fine.residual(0)) < 4096);
    }
    assertEquals(127, fine.code(0));
    add(fine, weight, -2 / 16.0);
    assertTrue(fine.code(0) < 127);
  }

  @Test
  void woundUpWeightMovesOnlyAfterUnwinding() {
    UpdateRule rule = UpdateRule.residual(Q4).withSaturation(Saturation.WIND_UP);
    double[] weight = {0};
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
    add(fine, weight, 10);
    assertEquals(127, fine.code(0));
    assertEquals(160L << 12, fine.sum(0), "the exact sum is kept");
    add(fine, weight, -2);
    assertEquals(127, fine.code(0));
    add(fine, weight, -1);
    assertEquals(112, fine.code(0));
  }

  @Test
  void failingPolicyNamesTheFormat() {
    UpdateRule rule = UpdateRule.residual(Q4).withSaturation(Saturation.FAIL);
    double[] weight = {0};
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
    ArithmeticException thrown =
        assertThrows(ArithmeticException.class, () -> add(fine, weight, 10));
    assertEquals("1 weights left the range of Q3.4 (8 bit)", thrown.getMessage());
  }

  @Test
  void hugeUpdatesSaturateInsteadOfWrappingAround() {
    for (ReadOut readOut : ReadOut.values()) {
      for (int bits : new int[] {2, 8, 24}) {
        UpdateRule rule = UpdateRule.of(FixedPointFormat.signed(bits, 0), readOut);
        float[] weight = {0};
        FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weight));
        for (float update : new float[] {-3e38f, 1e30f, -1e30f, 3e38f}) {
          weight[0] -= update;
          fine.subtract(ValueBuffer.of(new float[] {update}), ValueBuffer.of(weight));
          long end = update < 0 ? rule.weightFormat().maxCode() : rule.weightFormat().minCode();
          assertEquals(end, fine.code(0), rule + " after " + update);
        }
      }
    }
  }

  @Test
  void updatesThatAreNotFiniteAreSkippedAndTheWeightRestored() {
    float[] weights = {1, 2, 3, 4};
    FineWeights fine = FineWeights.start(UpdateRule.residual(Q4), ValueBuffer.of(weights));
    float[] updates = {Float.NaN, Float.POSITIVE_INFINITY, 0.25f, Float.NEGATIVE_INFINITY};
    for (int i = 0; i < 4; i++) {
      weights[i] -= updates[i];
    }
    UpdateStatistics statistics = fine.subtract(ValueBuffer.of(updates), ValueBuffer.of(weights));
    assertArrayEquals(new float[] {1, 2, 2.75f, 4}, weights);
    assertEquals(3, statistics.skipped());
    assertEquals(1, statistics.updates());
  }

  @Test
  void statisticsCountDeadZoneMovesAndResidual() {
    float[] weights = {0, 0, 0, 0};
    FineWeights fine = FineWeights.start(UpdateRule.residual(Q4), ValueBuffer.of(weights));
    float[] updates = {0, 1 / 64f, 1 / 16f, -3 / 16f};
    for (int i = 0; i < 4; i++) {
      weights[i] -= updates[i];
    }
    UpdateStatistics statistics = fine.subtract(ValueBuffer.of(updates), ValueBuffer.of(weights));
    assertEquals(new UpdateStatistics(4, 3, 1, 2, 0, 0, 0, 1 / 64.0 / 64.0), statistics);
    assertEquals(1 / 3.0, statistics.deadZoneShare());
    assertEquals(0.5, statistics.movedShare());
    assertEquals(1 / 64.0, statistics.residualNorm());
  }

  @Test
  void changesByOthersBecomePartOfTheFineWeight() {
    float[] weights = {1, 1};
    FineWeights fine = FineWeights.start(UpdateRule.residual(Q4), ValueBuffer.of(weights));
    weights[0] = 0.51f;
    weights[0] -= 0.01f;
    weights[1] -= 0.01f;
    UpdateStatistics statistics =
        fine.subtract(ValueBuffer.of(new float[] {0.01f, 0.01f}), ValueBuffer.of(weights));
    assertEquals(1, statistics.outside());
    assertEquals(0.5, fine.fineWeight(0), 1.0 / (1 << 15));
    assertEquals(0.99, fine.fineWeight(1), 1.0 / (1 << 16));
    weights[1] = -2.03f;
    assertFalse(fine.matches(ValueBuffer.of(weights)));
    fine.reconcile(ValueBuffer.of(weights));
    assertTrue(fine.matches(ValueBuffer.of(weights)));
    assertEquals(-33 / 16f, weights[1]);
    assertEquals(-2.04, fine.fineWeight(1), 1e-4);
    assertEquals(1, fine.steps(), "reconciling is no step");
  }

  @Test
  void orderOfUpdatesDoesNotChangeABit() {
    SplittableRandom random = new SplittableRandom(3);
    double[] updates = random.doubles(1000, -0.01, 0.01).map(u -> (float) u).toArray();
    double[] sorted = updates.clone();
    Arrays.sort(sorted);
    long[] sums = new long[2];
    for (int run = 0; run < 2; run++) {
      double[] weight = {0};
      FineWeights fine = FineWeights.start(UpdateRule.accumulated(Q4), ValueBuffer.of(weight));
      for (double update : run == 0 ? updates : sorted) {
        add(fine, weight, update);
      }
      sums[run] = fine.sum(0);
    }
    assertEquals(sums[0], sums[1]);
  }

  @ParameterizedTest
  @EnumSource(ReadOut.class)
  void manyTasksGiveTheBitsOfOneTask(ReadOut readOut) {
    int length = 200_001;
    UpdateRule rule = UpdateRule.of(FixedPointFormat.signed(8, 6), readOut).withSeed(11);
    SplittableRandom random = new SplittableRandom(5);
    float[] all = new float[length];
    float[] updates = new float[length];
    for (int i = 0; i < length; i++) {
      all[i] = (float) (random.nextDouble() - 0.5);
      updates[i] = (float) ((random.nextDouble() - 0.5) / 50);
    }
    float[] again = all.clone();
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(all));
    LongDigits repeated = new LongDigits(rule, length);
    FineWeights.start(rule, repeated, ValueBuffer.of(again));
    UpdateStatistics first = UpdateStatistics.NONE;
    UpdateStatistics second = UpdateStatistics.NONE;
    for (int step = 0; step < 3; step++) {
      for (int i = 0; i < length; i++) {
        all[i] -= updates[i];
        again[i] -= updates[i];
      }
      first = first.then(fine.subtract(ValueBuffer.of(updates), ValueBuffer.of(all)));
      second =
          second.then(
              repeated.step(
                  rule, step, true, ValueBuffer.of(updates), ValueBuffer.of(again), 0, length));
    }
    for (int i = 0; i < length; i++) {
      assertEquals(repeated.code(i), fine.code(i));
      assertEquals(repeated.residual(i), fine.residual(i));
    }
    assertArrayEquals(all, again);
    assertEquals(first.moved(), second.moved());
    assertEquals(first.residualNorm(), second.residualNorm(), 1e-6 * first.residualNorm());
  }

  @Test
  void stochasticRoundingIsRightOnAverageAndDependsOnTheSeed() {
    int length = 100_000;
    long[] sums = new long[2];
    for (int seed = 0; seed < 2; seed++) {
      UpdateRule rule = UpdateRule.of(Q4, ReadOut.STOCHASTIC_ROUNDING).withSeed(seed);
      float[] weights = new float[length];
      float[] updates = new float[length];
      Arrays.fill(updates, -0.3f / 16);
      FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weights));
      Arrays.fill(weights, 0.3f / 16);
      fine.subtract(ValueBuffer.of(updates), ValueBuffer.of(weights));
      for (int i = 0; i < length; i++) {
        assertTrue(fine.code(i) == 0 || fine.code(i) == 1);
        sums[seed] += fine.code(i);
      }
      assertEquals(0.3, sums[seed] / (double) length, 0.006);
    }
    assertFalse(sums[0] == sums[1]);
  }

  @Test
  void rescalingKeepsTheFineWeight() {
    float[] weights = {1.03f, -0.77f, 3.9f};
    FineWeights fine = FineWeights.start(UpdateRule.residual(Q4), ValueBuffer.of(weights));
    double before = fine.fineWeight(0);
    assertEquals(1, fine.rescale(6), "3.9 does not fit into Q1.6");
    assertEquals(before, fine.fineWeight(0));
    assertEquals(10, fine.rule().extraBits());
    assertEquals(Math.round(1.03 * 64), fine.code(0));
    assertEquals(127, fine.code(2));
    fine.write(ValueBuffer.of(weights));
    assertEquals(66 / 64f, weights[0]);
    fine.rescale(4);
    assertEquals(before, fine.fineWeight(0));
    assertEquals(16, fine.code(0));
  }

  @Test
  void startsAtTheGivenWeightsAndRefusesThoseThatAreNotFinite() {
    float[] weights = {0.1f, 100, -100};
    FineWeights fine = FineWeights.start(UpdateRule.accumulated(Q4), ValueBuffer.of(weights));
    assertArrayEquals(new float[] {0.125f, 127 / 16f, -8}, weights);
    assertEquals(0.1, fine.fineWeight(0), 1.0 / (1 << 17));
    float[] fineValues = new float[3];
    fine.writeFine(ValueBuffer.of(fineValues));
    assertEquals(0.1f, fineValues[0], 1.0f / (1 << 17));

    float[] bad = {0.3f, Float.NaN};
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> FineWeights.start(UpdateRule.accumulated(Q4), ValueBuffer.of(bad)));
    assertEquals("weights[1] must be finite, found NaN", thrown.getMessage());
    assertEquals(0.3f, bad[0]);
  }

  @Test
  void refusesBuffersOfAnotherLength() {
    float[] weights = {0, 0};
    FineWeights fine = FineWeights.start(UpdateRule.accumulated(Q4), ValueBuffer.of(weights));
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> fine.subtract(ValueBuffer.of(new float[3]), ValueBuffer.of(weights)));
    assertEquals("updates must have 2 values, found 3", thrown.getMessage());
    assertEquals(0, fine.steps());
  }
}
