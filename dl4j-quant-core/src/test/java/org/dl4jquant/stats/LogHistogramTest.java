package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.primitives.ImmutableLongArray;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LogHistogramTest {
  private static LogBins of(double... values) {
    LogHistogram histogram = LogHistogram.create();
    for (double value : values) {
      histogram.accept(value);
    }
    return histogram.snapshot();
  }

  private static int onlyBin(double value) {
    LogBins bins = of(value);
    assertEquals(1, bins.positive());
    for (int i = 0; i < LogBins.BINS; i++) {
      if (bins.counts().get(i) == 1) {
        return i;
      }
    }
    throw new AssertionError("no bin for " + value);
  }

  @Test
  void binsAreSixteenthOctaves() {
    assertEquals(640, onlyBin(1));
    assertEquals(639, onlyBin(Math.nextDown(1.0)));
    assertEquals(656, onlyBin(2));
    assertEquals(648, onlyBin(Math.sqrt(2)));
    assertEquals(647, onlyBin(Math.nextDown(Math.sqrt(2))));
    assertEquals(533, onlyBin(0.01));
    assertEquals(640 + 16 * 20, onlyBin(1 << 20));
  }

  @Test
  void theEndsAreClamped() {
    assertEquals(0, onlyBin(Math.scalb(1.0, -40)));
    assertEquals(0, onlyBin(Math.nextDown(Math.scalb(1.0, -40))));
    assertEquals(0, onlyBin(Double.MIN_VALUE));
    assertEquals(1023, onlyBin(Math.nextDown(Math.scalb(1.0, 24))));
    assertEquals(1023, onlyBin(Double.MAX_VALUE));
  }

  @Test
  void whatHasNoBinIsCountedApart() {
    LogBins bins =
        of(0, -0.0, -3, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 5);
    assertEquals(3, bins.nonPositive());
    assertEquals(3, bins.nonFinite());
    assertEquals(1, bins.positive());
  }

  @Test
  void combiningPartsEqualsOnePass() {
    double[] values = new Random(1).doubles(1000, -1, 3).toArray();
    LogHistogram left = LogHistogram.create();
    LogHistogram right = LogHistogram.create();
    for (int i = 0; i < values.length; i++) {
      (i < 333 ? left : right).accept(values[i]);
    }
    left.accept(Double.NaN);
    LogHistogram empty = LogHistogram.create();
    LogBins expected = new LogBins(of(values).counts(), of(values).nonPositive(), 1);
    assertEquals(expected, left.combine(right).combine(empty).snapshot());
    assertEquals(expected, empty.combine(left).snapshot());
  }

  @Test
  void snapshotsDoNotMoveAndSelfCombinationDoubles() {
    LogHistogram histogram = LogHistogram.create();
    histogram.accept(2);
    LogBins before = histogram.snapshot();
    histogram.combine(histogram);
    assertEquals(1, before.positive());
    assertEquals(2, histogram.snapshot().positive());
  }

  @Test
  void refusesImpossibleCounts() {
    ImmutableLongArray none = ImmutableLongArray.copyOf(new long[LogBins.BINS]);
    long[] negative = new long[LogBins.BINS];
    negative[7] = -1;
    assertMessage(
        "counts must number 1024, found 1", () -> new LogBins(ImmutableLongArray.of(1), 0, 0));
    assertMessage(
        "counts must not be negative, found -1 at index 7",
        () -> new LogBins(ImmutableLongArray.copyOf(negative), 0, 0));
    assertMessage("nonPositive must not be negative, found -1", () -> new LogBins(none, -1, 0));
    assertMessage("nonFinite must not be negative, found -2", () -> new LogBins(none, 0, -2));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
