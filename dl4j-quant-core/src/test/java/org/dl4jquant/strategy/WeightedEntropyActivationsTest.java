package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.Random;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.LogHistogram;
import org.junit.jupiter.api.Test;

final class WeightedEntropyActivationsTest {
  private static final double[] GROWING = growing();

  private static double[] growing() {
    double[] values = new double[32];
    values[1] = -1;
    for (int k = 0; k < 30; k++) {
      values[k + 2] = 0.01 * Math.pow(1.3, k);
    }
    return values;
  }

  private static double[] rectifiedNormals(int count, long seed) {
    Random random = new Random(seed);
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = Math.max(0, random.nextGaussian());
    }
    return values;
  }

  private static LogBins bins(double... values) {
    LogHistogram histogram = LogHistogram.create();
    for (double value : values) {
      histogram.accept(value);
    }
    return histogram.snapshot();
  }

  private static Optional<LogFormat> choose(int levels, double... values) {
    return new WeightedEntropyActivations(levels).choose(bins(values));
  }

  /** The score from the values themselves and the format's own quantization. */
  private static double score(LogFormat format, double... values) {
    long[] counts = new long[format.levels()];
    long positive = 0;
    for (double value : values) {
      counts[(int) format.quantize(value)]++;
      positive += value > 0 ? 1 : 0;
    }
    double score = 0;
    for (int code = 1; code < counts.length; code++) {
      double share = (double) counts[code] / positive;
      score -= share > 0 ? format.dequantize(code) * share * Math.log(share) : 0;
    }
    return score;
  }

  @Test
  void growingValuesGiveTheGoldenFormats() {
    assertEquals(Optional.of(new LogFormat(4, 15, 16)), choose(4, GROWING));
    assertEquals(Optional.of(new LogFormat(8, 3, 6)), choose(8, GROWING));
    assertEquals(Optional.of(new LogFormat(16, -13, 3)), choose(16, GROWING));
    assertEquals(1.915207, new LogFormat(4, 15, 16).dequantize(1), 5e-7);
    assertEquals(1.138789, new LogFormat(8, 3, 6).dequantize(1), 5e-7);
    assertEquals(.569394, new LogFormat(16, -13, 3).dequantize(1), 5e-7);
  }

  @Test
  void noCandidateHasAHigherScore() {
    for (int levels : new int[] {2, 3, 4, 8, 16}) {
      LogFormat best = choose(levels, GROWING).orElseThrow();
      double highest = score(best, GROWING);
      for (int halfStep = 1; halfStep <= 16; halfStep++) {
        int end = 709 + 1 - halfStep * (2 * levels - 5);
        for (int bin = 533 + 40; bin < end; bin++) {
          double other = score(new LogFormat(levels, bin - 640, halfStep), GROWING);
          assertTrue(other <= highest * (1 + 1e-6), levels + " levels");
        }
      }
    }
  }

  /** The formats are the optima for the half-normal distribution itself, by its error function. */
  @Test
  void rectifiedNormalsGiveTheFormatsOfTheirDistribution() {
    double[] values = rectifiedNormals(50_000, 4);
    int[] levels = {4, 8, 16, 32, 64};
    int[] steps = {12, 6, 4, 2, 2};
    int[] offsets = {-5, -15, -31, -34, -91};
    double[] decibels = {10.9, 14.8, 21.8, 24.2, 32.0};
    for (int i = 0; i < levels.length; i++) {
      LogFormat format = choose(levels[i], values).orElseThrow();
      assertEquals(steps[i], format.step());
      assertEquals(offsets[i], format.offset(), 3);
      assertEquals(decibels[i], decibels(values, format), 0.6);
    }
    LogFormat four = choose(4, values).orElseThrow();
    double close = score(new LogFormat(4, -8, 7), values) / score(four, values);
    assertTrue(close < 1 && close > 0.995, "the samples' other frequent winner: " + close);
  }

  private static double decibels(double[] values, LogFormat format) {
    double signal = 0;
    double noise = 0;
    for (double value : values) {
      double error = value - format.fakeQuantize(value);
      signal += value * value;
      noise += error * error;
    }
    return 10 * Math.log10(signal / noise);
  }

  @Test
  void withoutACandidateNothingIsChosen() {
    assertEquals(Optional.empty(), choose(4));
    assertEquals(Optional.empty(), choose(4, 0, -1, Double.NaN));
    assertEquals(Optional.empty(), choose(4, 5, 5, 5));
    assertEquals(Optional.empty(), choose(256, rectifiedNormals(50_000, 5)));
  }

  @Test
  void theRangeDecidesWhetherThereIsACandidate() {
    double first = 1;
    int levels = 4;
    int needed = 40 + (2 * levels - 5);
    double last = Math.pow(2, (needed + 0.5) / 16);
    LogFormat only = choose(levels, first, last).orElseThrow();
    assertEquals(new LogFormat(levels, 40, 1), only);
    assertEquals(Optional.empty(), choose(levels, first, last / Math.pow(2, 1.0 / 16)));
  }

  @Test
  void theClampedEndsAreUsable() {
    LogFormat format = choose(8, Double.MIN_VALUE, 1e-20, 1e-5, 1, 100, 1e6, 1e30).orElseThrow();
    assertEquals(7, format.quantize(1e30));
    assertTrue(Double.isFinite(format.maxValue()));
  }

  @Test
  void refusesFewerThanTwoLevels() {
    assertEquals(
        "levels must be between 2 and 65536, found 1",
        assertThrows(IllegalArgumentException.class, () -> new WeightedEntropyActivations(1))
            .getMessage());
  }
}
