package org.dl4jquant.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class GradientPrecisionTest {
  @Test
  void aFixedFormatRoundsSaturatesAndLoses() {
    float[] values = {0.3f, -0.3f, 0.1f, -0.125f, 5, -5, 0};

    GradientStatistics seen =
        GradientPrecision.dynamic(4).withFractionalLength(2).round(ValueBuffer.of(values));

    assertArrayEquals(new float[] {0.25f, -0.25f, 0, 0, 1.75f, -2, 0}, values);
    assertEquals(new GradientStatistics(7, 2, 2, 0), seen);
    assertEquals(2.0 / 7, seen.lostShare());
  }

  @Test
  void truncatingGoesDown() {
    double[] values = {0.3, -0.3, -0.01};

    GradientPrecision.dynamic(8)
        .withTuning(Tuning.TRUNCATE)
        .withFractionalLength(2)
        .round(ValueBuffer.of(values));

    assertArrayEquals(new double[] {0.25, -0.5, -0.25}, values);
  }

  @Test
  void theDynamicFormatFollowsTheLargestMagnitude() {
    Random random = new Random(1);
    for (int exponent = -40; exponent <= 40; exponent += 8) {
      float[] values = new float[5000];
      float[] before = new float[values.length];
      double largest = 0;
      for (int i = 0; i < values.length; i++) {
        before[i] = Math.scalb((float) random.nextGaussian(), exponent);
        values[i] = before[i];
        largest = Math.max(largest, Math.abs(before[i]));
      }

      GradientStatistics seen = GradientPrecision.dynamic(8).round(ValueBuffer.of(values));

      assertEquals(0, seen.saturated());
      double halfStep = Math.scalb(1.0, Math.getExponent(largest) - 5) / 2;
      for (int i = 0; i < values.length; i++) {
        assertTrue(Math.abs(values[i] - before[i]) <= halfStep, "element " + i);
      }
    }
  }

  @Test
  void whatIsNotFiniteStaysAndDoesNotCount() {
    float[] values = {Float.NaN, 1, Float.POSITIVE_INFINITY, 0.51f, Float.NEGATIVE_INFINITY};

    GradientStatistics seen = GradientPrecision.dynamic(3).round(ValueBuffer.of(values));

    assertArrayEquals(
        new float[] {Float.NaN, 1, Float.POSITIVE_INFINITY, 0.5f, Float.NEGATIVE_INFINITY}, values);
    assertEquals(new GradientStatistics(5, 0, 0, 3), seen);
    float[] none = {Float.NaN, 0, 0};
    assertEquals(
        new GradientStatistics(3, 0, 0, 1),
        GradientPrecision.dynamic(3).round(ValueBuffer.of(none)));
  }

  @Test
  void roundingTwiceIsRoundingOnce() {
    Random random = new Random(2);
    double[] values = random.doubles(3000, -3, 3).toArray();
    GradientPrecision precision = GradientPrecision.dynamic(6).withFractionalLength(3);
    precision.round(ValueBuffer.of(values));
    double[] once = values.clone();

    GradientStatistics again = precision.round(ValueBuffer.of(values));

    assertArrayEquals(once, values);
    assertEquals(new GradientStatistics(3000, 0, 0, 0), again);
  }

  @Test
  void widthsAreChecked() {
    assertEquals(
        "bitWidth must be between 2 and 24, found 25",
        assertThrows(IllegalArgumentException.class, () -> GradientPrecision.dynamic(25))
            .getMessage());
    assertEquals(
        "fractionalLength must be between -126 and 126, found 127",
        assertThrows(
                IllegalArgumentException.class,
                () -> GradientPrecision.dynamic(8).withFractionalLength(127))
            .getMessage());
  }
}
