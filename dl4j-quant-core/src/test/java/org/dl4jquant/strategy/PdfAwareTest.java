package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.stats.TensorProfileAccumulator;
import org.dl4jquant.strategy.Profiles.Family;
import org.junit.jupiter.api.Test;

final class PdfAwareTest {
  private static final FormatStrategy PDF = FormatStrategy.pdfAware();
  private static final FormatStrategy KURTOSIS = FormatStrategy.pdfByKurtosis();

  @Test
  void kurtosisNamesTheFamilyOfItsOwnQuantiles() {
    for (Family family : Family.values()) {
      PdfFamily named = KURTOSIS.family(family.profile(1.3), 8, true).orElseThrow();
      assertEquals(family.name(), named.name());
    }
  }

  @Test
  void theClassifierComesWithinADecibelOfTheBestFormatForEveryFamily() {
    for (Family family : Family.values()) {
      for (int bitWidth : new int[] {4, 6, 8}) {
        for (double sigma = 1; sigma < 2; sigma *= 1.19) {
          ChannelProfile profile = family.profile(sigma);
          ExpectedError error = ExpectedError.of(profile);
          double best = error.of(FormatStrategy.minMse().choose(profile, bitWidth, true));
          double own = error.of(PDF.choose(profile, bitWidth, true));
          assertTrue(
              10 * Math.log10(own / best) < 2,
              "%s, %s bits, sigma %s: %s > %s".formatted(family, bitWidth, sigma, own, best));
        }
      }
    }
  }

  @Test
  void aRectifiedHalfCountsAsTheWholeOfOneBitMore() {
    for (Family family : Family.values()) {
      double[] all = family.quantiles(40_000);
      ChannelProfile whole = Profiles.of(all);
      ChannelProfile half = Profiles.of(Profiles.rectified(all));
      assertEquals(
          KURTOSIS.choose(whole, 9, true).fractionalLength(),
          KURTOSIS.choose(half, 8, false).fractionalLength(),
          family.name());
      assertEquals(KURTOSIS.family(whole, 9, true), KURTOSIS.family(half, 8, false));
    }
  }

  @Test
  void fewOrEqualValuesTellNoFamilyAndFollowTheRangeRule() {
    double[] few = new Random(1).doubles(99, -1, 1).toArray();
    double[] equal = new double[200];
    Arrays.fill(equal, 0.3);
    double[] twoValued = new double[400];
    Arrays.fill(twoValued, 0, 150, 0.3);
    for (double[] values : List.of(few, equal, twoValued)) {
      for (boolean signed : new boolean[] {true, false}) {
        ChannelProfile profile = Profiles.of(values);
        assertEquals(Optional.empty(), PDF.family(profile, 8, signed));
        assertEquals(
            FormatStrategy.maxAbs().choose(profile, 8, signed), PDF.choose(profile, 8, signed));
      }
    }
    assertEquals(Optional.empty(), PDF.family(Profiles.of(0, -0.0, Double.NaN), 8, true));
    assertEquals(Optional.empty(), PDF.family(Profiles.of(), 8, true));
  }

  @Test
  void anOffsetDoesNotCostABitAgainstTheRangeRule() {
    double[] values = Family.NORMAL.quantiles(5000);
    for (int i = 0; i < values.length; i++) {
      values[i] += 10;
    }
    ChannelProfile profile = Profiles.of(values);
    assertTrue(
        PDF.choose(profile, 8, true).fractionalLength()
            >= FormatStrategy.maxAbs().choose(profile, 8, true).fractionalLength());
  }

  @Test
  void aChannelOfFewValuesGetsTheFamilyOfMostOthers() {
    TensorProfileAccumulator accumulator = TensorProfileAccumulator.create(3);
    double[] laplace = Profiles.scaled(1.3, Family.LAPLACE.quantiles(6000));
    float[] values = new float[3 * laplace.length];
    for (int i = 0; i < laplace.length; i++) {
      values[i] = (float) laplace[i];
      values[laplace.length + i] = (float) laplace[i];
      values[2 * laplace.length + i] = i < 50 ? (float) laplace[i * 100] : Float.NaN;
    }
    accumulator.acceptBatch(values, laplace.length);
    TensorProfile profile = accumulator.snapshot();
    List<FixedPointFormat> formats = KURTOSIS.chooseEach(profile, 8, true);
    assertEquals(Optional.empty(), KURTOSIS.family(profile.channels().get(2), 8, true));
    assertEquals(
        PdfFamily.LAPLACE.fractionalLength(Math.sqrt(profile.whole().moments().meanSquare()), 8),
        formats.get(2).fractionalLength());
    assertEquals(formats.get(0), formats.get(2));
  }

  @Test
  void refiningNeverIncreasesTheExpectedError() {
    Random random = new Random(4);
    for (int trial = 0; trial < 100; trial++) {
      double power = 0.5 + 3 * random.nextDouble();
      double[] values = new double[200 + random.nextInt(3000)];
      for (int i = 0; i < values.length; i++) {
        double normal = random.nextGaussian();
        values[i] = Math.signum(normal) * Math.pow(Math.abs(normal), power);
      }
      ChannelProfile profile = Profiles.of(values);
      ExpectedError error = ExpectedError.of(profile);
      double plain = error.of(PDF.choose(profile, 6, true));
      double refined = error.of(FormatStrategy.pdfRefined().choose(profile, 6, true));
      assertTrue(refined <= plain, refined + " > " + plain);
    }
  }

  /** Decibels lost against the best length, by a profile of a part of the values. */
  private static double loss(FormatStrategy strategy, double[] seen, double[] all, int bitWidth) {
    ExpectedError error = ExpectedError.of(Profiles.of(all));
    FixedPointFormat chosen = strategy.choose(Profiles.of(seen), bitWidth, true);
    double least = Double.POSITIVE_INFINITY;
    for (int away = -6; away <= 8; away++) {
      least =
          Math.min(least, error.of(chosen.withFractionalLength(chosen.fractionalLength() + away)));
    }
    return 10 * Math.log10(error.of(chosen) / least);
  }

  @Test
  void theClassifierLosesLessThanTheNearestKurtosis() {
    Random random = new Random(77);
    for (int bitWidth : new int[] {6, 8}) {
      double classified = 0;
      double nearest = 0;
      for (int trial = 0; trial < 150; trial++) {
        double[] all = new double[10_000];
        double scale = Math.pow(2, random.nextDouble());
        int freedom = 4 + random.nextInt(20);
        for (int i = 0; i < all.length; i++) {
          double squares = 0;
          for (int k = 0; k < freedom; k++) {
            double normal = random.nextGaussian();
            squares += normal * normal;
          }
          all[i] = scale * random.nextGaussian() / Math.sqrt(squares / freedom); // Student's
        }
        double[] seen = Arrays.copyOf(all, 1000);
        classified += loss(PDF, seen, all, bitWidth) / 150;
        nearest += loss(KURTOSIS, seen, all, bitWidth) / 150;
      }
      assertTrue(classified < nearest, bitWidth + " bits: " + classified + ", " + nearest);
    }
  }
}
