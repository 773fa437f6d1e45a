package org.dl4jquant.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.dl4jquant.format.FixedPointFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Floats carry the same digits as longs, whatever happens to the weights. */
class FloatDigitsTest {
  private static final int LENGTH = 5_000;
  private static final FixedPointFormat FORMAT = FixedPointFormat.signed(8, 6);

  static List<UpdateRule> rules() {
    List<UpdateRule> rules = new ArrayList<>();
    for (ReadOut readOut : List.of(ReadOut.NEAREST, ReadOut.FLOOR, ReadOut.TRUNC_THRESHOLD)) {
      for (int extraBits : new int[] {1, 2, 7, 12, 20}) {
        for (int bitWidth : new int[] {2, 4, 8, 16}) {
          FixedPointFormat format = FixedPointFormat.signed(bitWidth, bitWidth - 2);
          rules.add(UpdateRule.of(format, readOut).withExtraBits(extraBits));
        }
      }
    }
    for (int exponent : new int[] {1, 3, 6}) {
      rules.add(UpdateRule.accumulated(FORMAT).withThresholdExponent(exponent));
    }
    rules.add(UpdateRule.residual(new FixedPointFormat(8, 6, true, true)));
    rules.add(UpdateRule.residual(FORMAT.withFractionalLength(40)));
    rules.add(UpdateRule.residual(FORMAT.withFractionalLength(-40)));
    return rules;
  }

  @ParameterizedTest
  @MethodSource("rules")
  void everyStepIsThatOfLongs(UpdateRule rule) {
    assertTrue(FloatDigits.suits(rule));
    for (double share : new double[] {0, 1e-4, 0.05}) {
      compare(rule, share, 0.3, 3);
      compare(rule, share, 60, 4);
    }
  }

  /**
   * Trains both.
   *
   * @param strange the share of updates and weights that are not ordinary
   * @param size of the updates in steps of the weight
   */
  private static void compare(UpdateRule rule, double strange, double size, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double scale = rule.weightFormat().scale();
    double digit = Math.scalb(1.0, -rule.residualFractionalLength());
    float[] weights = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      weights[i] = (float) ((random.nextDouble() * 2 - 1) * rule.weightFormat().maxCode() * scale);
    }
    float[] others = weights.clone();
    LongDigits longs = new LongDigits(rule, LENGTH);
    FloatDigits floats = new FloatDigits(LENGTH);
    FineWeights.start(rule, longs, ValueBuffer.of(others));
    FineWeights.start(rule, floats, ValueBuffer.of(weights));
    float[] updates = new float[LENGTH];
    for (int step = 0; step < 5; step++) {
      for (int i = 0; i < LENGTH; i++) {
        updates[i] = update(random, scale * size, digit);
        if (random.nextDouble() < strange) {
          updates[i] = STRANGE[random.nextInt(STRANGE.length)];
        }
        weights[i] -= updates[i];
        if (random.nextDouble() < strange) {
          weights[i] += (float) (scale * 3);
        }
        others[i] = weights[i];
      }
      UpdateStatistics expected =
          longs.step(rule, step, true, ValueBuffer.of(updates), ValueBuffer.of(others), 0, LENGTH);
      UpdateStatistics found =
          floats.step(
              rule, step, true, ValueBuffer.of(updates), ValueBuffer.of(weights), 0, LENGTH);
      for (int i = 0; i < LENGTH; i++) {
        assertEquals(longs.code(i), floats.code(i));
        assertEquals(longs.residual(i), floats.residual(i));
      }
      assertArrayEquals(others, weights);
      assertSame(expected, found);
    }
  }

  private static final float[] STRANGE = {
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL,
    -0f,
    1e6f,
    -3f
  };

  private static float update(SplittableRandom random, double size, double digit) {
    return switch (random.nextInt(6)) {
      case 0 -> 0;
      case 1 -> (float) ((random.nextInt(9) - 4.5) * digit);
      case 2 -> Math.nextUp((float) ((random.nextInt(9) - 4.5) * digit));
      case 3 -> Math.nextDown((float) ((random.nextInt(9) - 4.5) * digit));
      default -> (float) ((random.nextDouble() * 2 - 1) * size);
    };
  }

  private static void assertSame(UpdateStatistics expected, UpdateStatistics found) {
    assertEquals(expected.weights(), found.weights());
    assertEquals(expected.updates(), found.updates());
    assertEquals(expected.deadZone(), found.deadZone());
    assertEquals(expected.moved(), found.moved());
    assertEquals(expected.saturated(), found.saturated());
    assertEquals(expected.skipped(), found.skipped());
    assertEquals(expected.outside(), found.outside());
    assertEquals(
        expected.residualNorm(), found.residualNorm(), 1e-5 * (expected.residualNorm() + 1e-30));
  }

  @Test
  void rulesThatFloatsCannotCarryAreLeftToLongs() {
    assertFalse(FloatDigits.suits(UpdateRule.accumulated(FORMAT).withPeriod(2)));
    assertFalse(FloatDigits.suits(UpdateRule.accumulated(FORMAT).withExtraBits(21)));
    assertFalse(FloatDigits.suits(UpdateRule.residual(FORMAT).withSaturation(Saturation.WIND_UP)));
    assertFalse(FloatDigits.suits(UpdateRule.residual(FORMAT).withTuning(Tuning.TRUNCATE)));
    assertFalse(FloatDigits.suits(UpdateRule.of(FORMAT, ReadOut.STOCHASTIC_ROUNDING)));
    assertFalse(FloatDigits.suits(UpdateRule.residual(FixedPointFormat.signed(24, 20))));
  }

  @Test
  void aResidualThatTheRuleCannotLeaveIsRefused() {
    FloatDigits digits = new FloatDigits(1);
    digits.set(0, 3, -(1 << 20));
    assertEquals(-(1 << 20), digits.residual(0));
    assertThrows(IllegalArgumentException.class, () -> digits.set(0, 3, (1 << 20) + 1));
  }
}
