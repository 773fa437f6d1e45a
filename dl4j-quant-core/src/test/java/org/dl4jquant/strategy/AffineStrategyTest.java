package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.junit.jupiter.api.Test;

final class AffineStrategyTest {
  private static double[] skewed(long seed, double offset) {
    Random random = new Random(seed);
    double[] values = new double[20_000];
    for (int i = 0; i < values.length; i++) {
      double normal = random.nextGaussian();
      values[i] = (float) (normal > 0 ? 3 * normal * normal + offset : normal + offset);
    }
    return values;
  }

  private static double squaredError(UniformFormat format, double... values) {
    double sum = 0;
    for (double value : values) {
      double error = value - format.dequantize(format.quantize(value));
      sum += error * error;
    }
    return sum;
  }

  private static double[] range(double... values) {
    double low = 0;
    double high = 0;
    for (double value : values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return new double[] {low, high};
  }

  @Test
  void maxAbsCoversBothEndsAndZero() {
    double[] values = skewed(1, 0);
    double[] range = range(values);
    assertEquals(
        AffineParameters.covering(range[0], range[1], 8, false),
        FormatStrategy.maxAbs().chooseAffine(Profiles.of(values), 8, false));
    ChannelProfile far = Profiles.of(3, 4, 5);
    assertEquals(
        AffineParameters.covering(0, 5, 4, true),
        FormatStrategy.maxAbs().chooseAffine(far, 4, true));
    for (String name : List.of("max-abs", "percentile", "sigma", "mse", "kl", "auto")) {
      FormatStrategy strategy = FormatStrategy.named(name);
      assertTrue(strategy.choosesAffine());
      AffineParameters none = strategy.chooseAffine(Profiles.of(), 8, false);
      assertEquals(AffineParameters.covering(0, 1, 8, false), none, name);
      AffineParameters zeros = strategy.chooseAffine(Profiles.of(0, 0), 8, false);
      assertEquals(AffineParameters.covering(0, 1, 8, false), zeros, name);
    }
  }

  @Test
  void minMseIsAsGoodAsTryingAllRanges() {
    for (int bits : new int[] {3, 4, 8}) {
      for (double offset : new double[] {0, 2, -5}) {
        double[] values = skewed(bits, offset);
        double[] range = range(values);
        double least = Double.POSITIVE_INFINITY;
        for (double low = 0.02; low <= 1.1; low += 0.04) {
          for (double high = 0.02; high <= 1.1; high += 0.04) {
            AffineParameters tried =
                AffineParameters.covering(low * range[0], high * range[1], bits, false);
            least = Math.min(least, squaredError(tried, values));
          }
        }
        AffineParameters found =
            FormatStrategy.minMse().chooseAffine(Profiles.of(values), bits, false);
        double error = squaredError(found, values);
        assertTrue(error < 1.05 * least, bits + " bits: " + error + " against " + least);
      }
    }
  }

  @Test
  void percentileAndSigmaClip() {
    double[] values = skewed(5, 0);
    double[] range = range(values);
    AffineParameters percentile =
        FormatStrategy.percentile(99).chooseAffine(Profiles.of(values), 8, false);
    assertTrue(percentile.maxValue() < 0.8 * range[1], percentile.toString());
    assertEquals(range[0], percentile.minValue(), percentile.scale());
    AffineParameters sigma =
        FormatStrategy.meanPlusSigmas(3).chooseAffine(Profiles.of(values), 8, false);
    assertTrue(sigma.maxValue() < 0.8 * range[1], sigma.toString());
  }

  @Test
  void klNeverErrsMoreThanMaxAbs() {
    for (int bits : new int[] {4, 8}) {
      for (int seed = 0; seed < 5; seed++) {
        double[] values = skewed(seed, seed - 2);
        ChannelProfile profile = Profiles.of(values);
        double own =
            squaredError(FormatStrategy.klDivergence().chooseAffine(profile, bits, false), values);
        double whole =
            squaredError(FormatStrategy.maxAbs().chooseAffine(profile, bits, false), values);
        assertTrue(own < 1.02 * whole, bits + " bits, seed " + seed + ": " + own / whole);
      }
    }
  }

  @Test
  void othersAreRefusedByName() {
    FormatStrategy pdf = FormatStrategy.pdfAware();
    assertFalse(pdf.choosesAffine());
    assertEquals(
        "strategy must be max-abs, percentile, sigma, mse, kl or auto for affine formats, found"
            + " pdf",
        assertThrows(
                IllegalArgumentException.class, () -> pdf.chooseAffine(Profiles.of(1, 2), 8, false))
            .getMessage());
  }

  @Test
  void weightsOfLeastErrorAreAsGoodAsAnyScale() {
    Random random = new Random(3);
    for (int bits : new int[] {3, 4, 8}) {
      float[] weights = new float[300];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (random.nextGaussian() * (i == 7 ? 3 : 1));
      }
      double[] values = new double[weights.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = weights[i];
      }
      double least = Double.POSITIVE_INFINITY;
      for (double share = 0.2; share <= 1; share += 0.002) {
        AffineParameters tried =
            AffineParameters.symmetric(share * WeightStrategy.largest(weights), bits);
        least = Math.min(least, squaredError(tried, values));
      }
      double found = squaredError(WeightStrategy.minMse().chooseAffine(weights, bits), values);
      assertTrue(found < 1.03 * least, bits + " bits: " + found / least);
      assertEquals(
          AffineParameters.symmetric(WeightStrategy.largest(weights), bits),
          WeightStrategy.maxAbs().chooseAffine(weights, bits));
      assertEquals(
          AffineParameters.symmetric(1.5 * WeightStrategy.largest(weights), bits),
          WeightStrategy.range(0.5).chooseAffine(weights, bits));
    }
  }
}
