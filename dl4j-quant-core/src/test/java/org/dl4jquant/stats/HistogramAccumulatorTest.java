package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableLongArray;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class HistogramAccumulatorTest extends AccumulatorContract<HistogramAccumulator, Histogram> {
  @Override
  HistogramAccumulator create() {
    return HistogramAccumulator.create();
  }

  /** The definition, without widening: the exponent of all values first, then one floor each. */
  private static Histogram byDefinition(int bins, double... values) {
    int exponent = -126 - Integer.numberOfTrailingZeros(bins / 2);
    double[] finite = Arrays.stream(values).filter(x -> Math.abs(x) <= Float.MAX_VALUE).toArray();
    while (Arrays.stream(finite).anyMatch(new Outside(bins, exponent)::test)) {
      exponent++;
    }
    long[] counts = new long[bins];
    for (double value : finite) {
      counts[floor(value, exponent) + bins / 2]++;
    }
    return new Histogram(
        exponent, ImmutableLongArray.copyOf(counts), values.length - finite.length);
  }

  private record Outside(int bins, int exponent) {
    boolean test(double value) {
      double range = bins / 2.0 * Math.pow(2, exponent);
      return value < -range || value >= range;
    }
  }

  private static int floor(double value, int exponent) {
    BigDecimal width = BigDecimal.valueOf(2).pow(Math.abs(exponent));
    BigDecimal exact = new BigDecimal(value);
    return (exponent < 0 ? exact.multiply(width) : exact.divide(width))
        .setScale(0, RoundingMode.FLOOR)
        .intValueExact();
  }

  @Test
  void agreesWithTheDefinition() {
    assertEquals(byDefinition(2048, VALUES), of(VALUES).snapshot());
    Random random = new Random(11);
    for (int round = 0; round < 60; round++) {
      int bins = 4 << random.nextInt(7);
      int top = random.nextInt(250) - 125;
      double[] values = new double[40];
      for (int i = 0; i < values.length; i++) {
        double power = Math.scalb(1.0, Math.max(-149, top - random.nextInt(8)));
        values[i] = random.nextBoolean() ? -power : (float) (power * random.nextGaussian() / 8);
      }
      HistogramAccumulator histogram = HistogramAccumulator.create(bins);
      Arrays.stream(values).forEach(histogram);
      assertEquals(byDefinition(bins, values), histogram.snapshot(), "round " + round);
    }
  }

  @Test
  void theLowerEndIsInsideAndTheUpperOutside() {
    assertEquals(-10, of(-1).snapshot().exponent());
    assertEquals(1, of(-1).snapshot().counts().get(0));
    assertEquals(-9, of(1).snapshot().exponent());
    assertEquals(-10, of(Math.nextDown(1.0)).snapshot().exponent());
    assertEquals(1, of(1).snapshot().counts().get(1024 + 512));
  }

  @Test
  void denormalsAndZerosDoNotDriveTheExponent() {
    assertEquals(-136, of(0, -0.0, Float.MIN_VALUE, -Float.MIN_VALUE).snapshot().exponent());
    assertEquals(-136, create().snapshot().exponent());
    Histogram tiny = of(-Double.MIN_VALUE, Double.MIN_VALUE, Float.MAX_VALUE).snapshot();
    assertEquals(118, tiny.exponent());
    assertEquals(1, tiny.counts().get(1023));
    assertEquals(1, tiny.counts().get(1024));
    assertEquals(2, of(0x1p128, -1e300).snapshot().nonFinite());
  }

  @Test
  void quantilesAreWithinTheStatedError() {
    double[] values = new Random(5).doubles(999, -2, 5).toArray();
    Histogram histogram = of(values).snapshot();
    double[] sorted = Arrays.stream(values).sorted().toArray();
    double[] magnitudes = Arrays.stream(values).map(Math::abs).sorted().toArray();
    for (double fraction : new double[] {0, 0.001, 0.25, 0.5, 0.9, 0.999, 1}) {
      int rank = Math.max(1, (int) Math.ceil(fraction * values.length));
      assertEquals(
          sorted[rank - 1], histogram.quantile(fraction), histogram.binWidth() / 2, "q" + fraction);
      double above = histogram.magnitudeQuantile(fraction) - magnitudes[rank - 1];
      assertTrue(above >= 0 && above <= histogram.binWidth(), above + " at " + fraction);
    }
  }

  @Test
  void bulkWalksInStrides() {
    float[] values = {9, 1, 9, 9, -4, Float.NaN, 9, 2, 9, 9};
    HistogramAccumulator strided = create();
    strided.acceptAll(values, 1, 9, 3);
    assertEquals(of(1, -4, 2).snapshot(), strided.snapshot());
  }

  @Test
  void refusesWhatItCannotHold() {
    assertMessage(
        "bins must be between 4 and 65536, found 2", () -> HistogramAccumulator.create(2));
    assertMessage("bins must be a power of two, found 48", () -> HistogramAccumulator.create(48));
    assertMessage(
        "other must have 2048 bins like this, found 64",
        () -> create().combine(HistogramAccumulator.create(64)));
    assertMessage(
        "fraction must be between 0 and 1, found NaN", () -> of(1).snapshot().quantile(Double.NaN));
    assertMessage(
        "counts must not be negative, found -1 at index 2",
        () -> new Histogram(0, ImmutableLongArray.of(0, 0, -1, 0), 0));
    assertMessage(
        "exponent must be between -127 and 127, found 128",
        () -> new Histogram(128, ImmutableLongArray.of(0, 0, 0, 0), 0));
    assertEquals(
        "the histogram has seen no value",
        assertThrows(IllegalStateException.class, () -> create().snapshot().quantile(0.5))
            .getMessage());
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
