package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.strategy.Profiles.Family;
import org.junit.jupiter.api.Test;

final class KlDivergenceTest {
  private static final FormatStrategy KL = FormatStrategy.klDivergence();

  /** The choice as it is usually made: zeros and sparse bins included, and nothing forbidden. */
  private static FixedPointFormat unguarded(ChannelProfile profile, int bitWidth) {
    FixedPointFormat best = FormatLimits.reaching(profile.moments().max(), bitWidth, false);
    int half = profile.histogram().counts().length() / 2;
    long[] counts = profile.histogram().counts().subArray(half, 2 * half).toArray();
    MagnitudeHistogram magnitudes = new MagnitudeHistogram(profile.histogram().exponent(), counts);
    int codes = 1 << bitWidth;
    double least = magnitudes.divergence(codes, best.fractionalLength());
    for (int length = best.fractionalLength();
        length <= -profile.histogram().exponent();
        length++) {
      double divergence = magnitudes.divergence(codes, length);
      if (divergence < least) {
        least = divergence;
        best = best.withFractionalLength(length);
      }
    }
    return best;
  }

  private static double error(ChannelProfile profile, FixedPointFormat format) {
    return ExpectedError.of(profile).of(format);
  }

  @Test
  void theGuardStopsTheCollapseOnRectifiedValues() {
    Random random = new Random(5);
    double[] values = new double[20_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(0, random.nextGaussian() - 0.5);
    }
    ChannelProfile profile = Profiles.of(values);
    double largest = error(profile, FormatStrategy.maxAbs().choose(profile, 6, false));
    double collapsed = error(profile, unguarded(profile, 6));
    double guarded = error(profile, KL.choose(profile, 6, false));
    assertTrue(10 * Math.log10(collapsed / largest) > 10, "no collapse: " + collapsed);
    assertTrue(guarded <= largest, guarded + " > " + largest);
  }

  @Test
  void neverLosesToMaxAbs() {
    Random random = new Random(11);
    for (int trial = 0; trial < 400; trial++) {
      double[] values = new double[1 + random.nextInt(4000)];
      double power = 1 + random.nextInt(5);
      double zeros = random.nextDouble();
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextDouble() < zeros ? 0 : Math.pow(random.nextGaussian(), power);
      }
      ChannelProfile profile = Profiles.of(values);
      int bitWidth = 2 + random.nextInt(9);
      boolean signed = random.nextBoolean();
      double kl = error(profile, KL.choose(profile, bitWidth, signed));
      double maxAbs = error(profile, FormatStrategy.maxAbs().choose(profile, bitWidth, signed));
      assertTrue(kl <= maxAbs, "%s bits: %s > %s".formatted(bitWidth, kl, maxAbs));
    }
  }

  @Test
  void clipsTheTailWhereThatServes() {
    double[] values = Family.LAPLACE.quantiles(50_000);
    values[0] = -40;
    ChannelProfile profile = Profiles.of(values);
    assertEquals(1, FormatStrategy.maxAbs().choose(profile, 8, true).fractionalLength());
    int length = KL.choose(profile, 8, true).fractionalLength();
    assertTrue(length == 2 || length == 3, "length " + length);
  }

  @Test
  void keepsTheWholeRangeOfAUniformDistribution() {
    assertEquals(6, KL.choose(Family.UNIFORM.profile(1), 8, true).fractionalLength());
    assertEquals(2, KL.choose(Family.UNIFORM.profile(1), 4, true).fractionalLength());
  }

  @Test
  void fewValuesKeepTheWholeRange() {
    Random random = new Random(2);
    double[] values = random.doubles(60, -1, 1).toArray();
    ChannelProfile profile = Profiles.of(values);
    assertEquals(FormatStrategy.maxAbs().choose(profile, 8, true), KL.choose(profile, 8, true));
  }

  @Test
  void divergenceIsZeroWhereACodeHasOneBinAndNothingIsClipped() {
    MagnitudeHistogram histogram = new MagnitudeHistogram(-2, 5, 0, 3, 9);
    assertEquals(0, histogram.divergence(4, 2), 1e-15);
  }

  @Test
  void divergenceByHand() {
    // codes 0, 1 with two bins each: bin 0 | bins 1 to 3, the last code takes the rest of its step
    MagnitudeHistogram histogram = new MagnitudeHistogram(0, 4, 2, 0, 6);
    double expected = 2.0 / 12 * Math.log(2.0 / 4) + 6.0 / 12 * Math.log(6.0 / 4);
    assertEquals(expected, histogram.divergence(2, -1), 1e-15);
    // half the range: bins 2 and 3 are clipped and count for bin 1
    double clipped = 4.0 / 12 * Math.log(4.0 / 12 * 6 / 4) + 8.0 / 12 * Math.log(8.0 / 12 * 6 / 2);
    assertEquals(clipped, histogram.divergence(2, 0), 1e-15);
  }

  @Test
  void clippingIntoAnEmptyBinIsFinite() {
    MagnitudeHistogram histogram = new MagnitudeHistogram(0, 4, 0, 0, 6);
    double expected = 0.4 * Math.log(0.4 * 4.5 / 4) + 0.6 * Math.log(0.6 * 4.5 / 0.5);
    assertEquals(expected, histogram.divergence(2, 0), 1e-15);
  }

  @Test
  void sparseBinsAreJoinedDownToOnePerCode() {
    MagnitudeHistogram histogram = new MagnitudeHistogram(0, 1, 1, 1, 1, 1, 1, 1, 1);
    assertEquals(-1, histogram.finestLength());
    assertEquals(-2, histogram.joined(2, -3, 2).finestLength());
    assertEquals(-3, histogram.joined(4, -3, 2).finestLength());
    assertEquals(-3, histogram.joined(8, -3, 2).finestLength());
    assertEquals(-2, histogram.joined(8, -3, 4).finestLength());
  }
}
