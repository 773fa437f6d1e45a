package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.Granularity;
import org.junit.jupiter.api.Test;

final class WeightedEntropyTest {
  private static final float[] SIXTEENTHS = sixteenths();
  private static final float[] GROWING = {
    .01f, -.02f, .03f, -.05f, .08f, -.13f, .21f, -.34f, .55f, -.89f, .02f, -.01f
  };

  private static float[] sixteenths() {
    float[] weights = new float[16];
    for (int k = 1; k <= 8; k++) {
      weights[2 * k - 2] = k / 16f;
      weights[2 * k - 1] = -k / 16f;
    }
    return weights;
  }

  private static float[] normals(int count, long seed) {
    Random random = new Random(seed);
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return weights;
  }

  private static void assertGolden(
      float[] weights, int levels, int[] cuts, double[] representatives, double score) {
    MagnitudeClusters exact = WeightedEntropy.of(levels).cluster(weights).nonNegative();
    assertArrayEquals(cuts, exact.cuts().toArray());
    assertArrayEquals(representatives, exact.representatives().toArray(), 5e-6);
    assertEquals(score, exact.score(), 1e-8);
    float[] magnitudes = weights.clone();
    for (int i = 0; i < magnitudes.length; i++) {
      magnitudes[i] = Math.abs(magnitudes[i]);
    }
    int n = weights.length;
    EntropyScore objective =
        new EntropyScore(SortedMagnitudes.of(magnitudes), n, 2.0 * n, levels % 2 != 0);
    CutAscent.Climb climb = new CutAscent(objective, 300).best(cuts.length);
    assertEquals(ImmutableIntArray.copyOf(cuts), climb.cuts());
    assertEquals(score, climb.score(), 1e-8);
  }

  @Test
  void sixteenthsGiveTheGoldenClusters() {
    assertGolden(SIXTEENTHS, 2, new int[] {16}, new double[] {.31561}, .069043957);
    assertGolden(SIXTEENTHS, 3, new int[] {10, 16}, new double[] {0, .440466}, .121788325);
    assertGolden(SIXTEENTHS, 4, new int[] {12, 16}, new double[] {.243403, .469791}, .158316580);
    assertGolden(
        SIXTEENTHS,
        8,
        new int[] {9, 12, 14, 16},
        new double[] {.192074, .35539, .4375, .5},
        .235361207);
  }

  @Test
  void sixteenthsGiveTheGoldenBoundaries() {
    assertEquals(
        ImmutableDoubleArray.of(0, .375),
        WeightedEntropy.of(3).cluster(SIXTEENTHS).nonNegative().boundaries());
    assertEquals(
        ImmutableDoubleArray.of(0, .4375),
        WeightedEntropy.of(4).cluster(SIXTEENTHS).nonNegative().boundaries());
    assertEquals(
        ImmutableDoubleArray.of(0, .3125, .4375, .5),
        WeightedEntropy.of(8).cluster(SIXTEENTHS).nonNegative().boundaries());
  }

  @Test
  void growingWeightsGiveTheGoldenClusters() {
    assertGolden(GROWING, 4, new int[] {11, 12}, new double[] {.211036, .89}, .24162801);
    assertGolden(GROWING, 5, new int[] {9, 11, 12}, new double[] {0, .45722, .89}, .296356326);
    assertGolden(
        GROWING, 8, new int[] {9, 10, 11, 12}, new double[] {.089318, .34, .55, .89}, .326375357);
  }

  @Test
  void weightsGetTheLastClusterWhoseBoundaryTheyReach() {
    Codebook even = WeightedEntropy.of(4).choose(SIXTEENTHS);
    assertEquals(2, even.bitWidth());
    float low = (float) Math.sqrt(0.05924479166666667);
    float high = (float) Math.sqrt((49 + 49 + 64 + 64) / 4.0 / 256);
    assertEquals(ImmutableDoubleArray.of(-high, -low, low, high), even.levels());
    assertEquals(low, even.fakeQuantize(0));
    assertEquals(low, even.fakeQuantize(-0.0));
    assertEquals(-low, even.fakeQuantize(-Double.MIN_VALUE));
    assertEquals(high, even.fakeQuantize(.4375));
    assertEquals(-high, even.fakeQuantize(-.4375));
    assertEquals(low, even.fakeQuantize(Math.nextDown(.4375)));
    assertEquals(-low, even.fakeQuantize(-Math.nextDown(.4375)));

    Codebook odd = WeightedEntropy.of(3).choose(SIXTEENTHS);
    assertEquals(3, odd.levels().length());
    assertEquals(0, odd.fakeQuantize(.374));
    assertEquals(0, odd.fakeQuantize(-.374));
    assertEquals(odd.maxValue(), odd.fakeQuantize(.375));
    assertEquals(-odd.maxValue(), odd.fakeQuantize(-.375));
  }

  @Test
  void normalWeightsReachTheStatedRatios() {
    float[] weights = normals(200_000, 7);
    int[] levels = {4, 8, 16, 32};
    double[] expected = {8.05, 11.91, 15.40, 18.70};
    for (int i = 0; i < levels.length; i++) {
      Codebook book = WeightedEntropy.of(levels[i]).choose(weights);
      assertEquals(levels[i], book.levels().length());
      assertEquals(expected[i], decibels(weights, book), 0.15, levels[i] + " levels");
    }
  }

  private static double decibels(float[] weights, Codebook book) {
    double signal = 0;
    double noise = 0;
    for (float weight : weights) {
      double error = weight - book.fakeQuantize(weight);
      signal += (double) weight * weight;
      noise += error * error;
    }
    return 10 * Math.log10(signal / noise);
  }

  @Test
  void zerosOnlyGiveTheLevelZero() {
    for (int levels = 2; levels <= 9; levels++) {
      for (SignHandling signs : SignHandling.values()) {
        WeightedEntropy search = WeightedEntropy.of(levels).withSigns(signs);
        WeightClusters clusters = search.cluster(0, -0f, 0);
        assertEquals(0, clusters.score());
        assertEquals(ImmutableDoubleArray.of(0), clusters.nonNegative().representatives());
        Codebook book = search.choose(0, -0f, 0);
        assertEquals(ImmutableDoubleArray.of(0), book.levels());
        assertEquals(search.bitWidth(), book.bitWidth());
      }
    }
  }

  @Test
  void aConstantGivesOneMagnitude() {
    float[] weights = new float[10];
    Arrays.fill(weights, -0.3f);
    WeightClusters clusters = WeightedEntropy.of(8).cluster(weights);
    assertEquals(ImmutableDoubleArray.of(0.3f), clusters.negative().representatives());
    assertEquals((double) 0.3f * 0.3f * Math.log(2), clusters.score(), 1e-15);
    assertEquals(
        ImmutableDoubleArray.of(-0.3f, 0.3f), WeightedEntropy.of(8).choose(weights).levels());
    assertEquals(
        ImmutableDoubleArray.of(-0.3f),
        WeightedEntropy.of(8).withSigns(SignHandling.SPLIT_SIGN).choose(weights).levels());
  }

  @Test
  void oneWeightIsKept() {
    for (int levels = 2; levels < 6; levels++) {
      assertEquals(0.7f, WeightedEntropy.of(levels).choose(0.7f).fakeQuantize(0.7f));
      assertEquals(-0.7f, WeightedEntropy.of(levels).choose(-0.7f).fakeQuantize(-0.7f));
    }
  }

  @Test
  void fewMagnitudesAreKeptExactly() {
    Random random = new Random(8);
    float[] values = {-2, -1, 0, 1, 2, 1, 2};
    float[] weights = new float[1000];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = values[random.nextInt(values.length)];
    }
    for (SignHandling signs : SignHandling.values()) {
      Codebook book = WeightedEntropy.of(5).withSigns(signs).choose(weights);
      assertEquals(ImmutableDoubleArray.of(-2, -1, 0, 1, 2), book.levels());
    }
  }

  @Test
  void hugeAndTinyWeightsStayFinite() {
    float[] weights = normals(500, 9);
    for (float scale : new float[] {1e38f, 16 * Float.MIN_VALUE}) {
      float[] scaled = new float[weights.length];
      for (int i = 0; i < weights.length; i++) {
        scaled[i] = Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, weights[i] * scale));
      }
      Codebook book = WeightedEntropy.of(7).choose(scaled);
      assertTrue(book.levels().length() >= 3);
    }
  }

  @Test
  void mostlyZeroWeightsStillGetTheirLevels() {
    float[] weights = normals(20_000, 10);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = i % 10 == 0 ? weights[i] : 0;
    }
    for (int levels : new int[] {3, 4, 7, 8, 15, 16, 17}) {
      Codebook book = WeightedEntropy.of(levels).choose(weights);
      assertTrue(book.levels().length() >= levels - 1, levels + " levels: " + book);
      if (levels % 2 != 0) {
        assertEquals(0, book.fakeQuantize(0));
      }
    }
  }

  @Test
  void manyEqualWeightsGiveALawfulCodebook() {
    Random random = new Random(11);
    for (int round = 0; round < 300; round++) {
      float[] weights = new float[200 + random.nextInt(300)];
      int grid = 1 + random.nextInt(12);
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) Math.rint(random.nextGaussian() * grid) / grid;
      }
      SignHandling signs = round % 2 == 0 ? SignHandling.SYMMETRIC : SignHandling.SPLIT_SIGN;
      Codebook book = WeightedEntropy.of(2 + random.nextInt(30)).withSigns(signs).choose(weights);
      for (long code = 0; code <= book.maxCode(); code++) {
        assertEquals(code, book.quantize(book.dequantize(code)));
      }
    }
  }

  @Test
  void splitSignsAreSearchedApart() {
    float[] weights = normals(3_000, 12);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = weights[i] < 0 ? weights[i] / 8 : weights[i];
    }
    for (int levels : new int[] {4, 5, 8, 15}) {
      WeightedEntropy search = WeightedEntropy.of(levels).withSigns(SignHandling.SPLIT_SIGN);
      WeightClusters clusters = search.cluster(weights);
      Codebook book = clusters.codebook(search.bitWidth());
      assertEquals(levels, book.levels().length());
      assertEquals(book.maxValue(), -8 * book.minValue(), 0.5 * book.maxValue());
      int n = weights.length;
      int positives = 0;
      for (float weight : weights) {
        positives += weight >= 0 ? 1 : 0;
      }
      MagnitudeClusters nonNegative = clusters.nonNegative();
      assertEquals(positives, nonNegative.cuts().get(nonNegative.count() - 1));
      double score = 0;
      for (MagnitudeClusters side : ImmutableList.of(clusters.negative(), nonNegative)) {
        for (int c = levels % 2; c < side.count(); c++) {
          double p = (side.cuts().get(c) - (c == 0 ? 0 : side.cuts().get(c - 1))) / (double) n;
          score -= Math.pow(side.representatives().get(c), 2) * p * Math.log(p);
        }
      }
      assertEquals(score, clusters.score(), 1e-9);
    }
  }

  @Test
  void exactSearchIsNeverWorse() {
    for (int levels : new int[] {4, 7, 16, 32}) {
      float[] weights = normals(1_500, levels);
      double ascent = WeightedEntropy.of(levels).cluster(weights).score();
      double exact = WeightedEntropy.of(levels).withExactSearch().cluster(weights).score();
      assertTrue(ascent <= exact * (1 + 1e-12));
      assertTrue(ascent >= 0.99 * exact);
    }
  }

  @Test
  void warmStartContinuesFromTheCuts() {
    WeightedEntropy search = WeightedEntropy.of(16);
    float[] weights = normals(50_000, 13);
    WeightClusters cold = search.cluster(weights);
    WeightClusters same = search.cluster(weights, cold);
    assertTrue(same.nonNegative().passes() <= 2);
    assertTrue(cold.score() <= same.score() * (1 + 1e-12));
    float[] moved = weights.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += 1e-3f * weights[(i * 7 + 1) % weights.length];
    }
    WeightClusters warm = search.cluster(moved, cold);
    assertTrue(warm.score() >= 0.999 * search.cluster(moved).score());
    WeightClusters shorter = search.cluster(Arrays.copyOf(weights, 40_000), cold);
    assertEquals(40_000, shorter.nonNegative().cuts().get(7));
    assertEquals(
        WeightedEntropy.of(8).cluster(weights), WeightedEntropy.of(8).cluster(weights, cold));
  }

  @Test
  void samplingIsRepeatableAndClose() {
    float[] weights = normals(300_000, 14);
    WeightedEntropy sampled = WeightedEntropy.of(8).withSampleLimit(30_000);
    WeightClusters clusters = sampled.cluster(weights);
    assertEquals(30_000, clusters.nonNegative().cuts().get(3));
    assertEquals(clusters, sampled.cluster(weights));
    ImmutableDoubleArray whole =
        WeightedEntropy.of(8).cluster(weights).nonNegative().representatives();
    assertArrayEquals(whole.toArray(), clusters.nonNegative().representatives().toArray(), 0.06);
  }

  @Test
  void channelsShareLevelsUpToTheirScale() {
    float[] weights = normals(4 * 500, 15);
    float[] factors = {1, 0.01f, 0, 40};
    for (int i = 0; i < weights.length; i++) {
      weights[i] *= factors[i / 500];
    }
    WeightedEntropy search = WeightedEntropy.of(8);
    ImmutableList<Codebook> books =
        search.choosePerChannel(weights, Granularity.perChannel(0), 4, 500);
    assertEquals(4, books.size());
    assertEquals(ImmutableDoubleArray.of(0), books.get(2).levels());
    double first = rootMeanSquare(Arrays.copyOf(weights, 500));
    for (int channel : new int[] {0, 1, 3}) {
      Codebook book = books.get(channel);
      assertEquals(3, book.bitWidth());
      assertEquals(8, book.levels().length());
      double ratio = book.maxValue() / books.get(0).maxValue();
      float[] own = Arrays.copyOfRange(weights, channel * 500, channel * 500 + 500);
      assertEquals(rootMeanSquare(own) / first, ratio, 1e-6 * ratio);
      for (int i = 0; i < 8; i++) {
        assertEquals(ratio * books.get(0).levels().get(i), book.levels().get(i), 1e-5 * ratio);
      }
      assertTrue(decibels(own, book) > 11, "channel " + channel);
    }
    assertEquals(
        ImmutableDoubleArray.of(0),
        search.choosePerChannel(new float[6], Granularity.perChannel(1), 2, 3).get(1).levels());
  }

  private static double rootMeanSquare(float[] weights) {
    double sum = 0;
    for (float weight : weights) {
      sum += (double) weight * weight;
    }
    return Math.sqrt(sum / weights.length);
  }

  @Test
  void aMillionWeightsAreClusteredQuickly() {
    float[] weights = normals(1_000_000, 16);
    assertTimeout(Duration.ofSeconds(4), () -> WeightedEntropy.of(16).cluster(weights));
  }

  @Test
  void theWeightsAreNotChanged() {
    float[] weights = GROWING.clone();
    WeightedEntropy.of(4).choose(weights);
    WeightedEntropy.of(4).choosePerChannel(weights, Granularity.perChannel(0), 3, 4);
    assertArrayEquals(GROWING, weights);
    assertSame(SignHandling.SYMMETRIC, WeightedEntropy.of(4).signs());
  }

  @Test
  void refusesWhatCannotBeClustered() {
    assertMessage(
        "weights must have at least one element, found 0", () -> WeightedEntropy.of(4).choose());
    assertMessage(
        "weights must be finite, found NaN at index 1",
        () -> WeightedEntropy.of(4).choose(1, Float.NaN));
    assertMessage(
        "weights must be finite, found -Infinity at index 0",
        () ->
            WeightedEntropy.of(4)
                .choosePerChannel(
                    new float[] {Float.NEGATIVE_INFINITY}, Granularity.perTensor(), 1));
    assertMessage("levels must be between 2 and 65536, found 1", () -> WeightedEntropy.of(1));
    assertMessage(
        "passLimit must be at least 1, found 0", () -> WeightedEntropy.of(4).withPassLimit(0));
    assertMessage(
        "sampleLimit must be at least 1, found 0", () -> WeightedEntropy.of(4).withSampleLimit(0));
    assertMessage(
        "weights must number at most 2000 for the exact search, found 2001",
        () -> WeightedEntropy.of(4).withExactSearch().cluster(normals(2001, 1)));
    assertMessage(
        "weights must have as many elements as shape [2, 2], found 3",
        () ->
            WeightedEntropy.of(4).choosePerChannel(new float[3], Granularity.perChannel(0), 2, 2));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
