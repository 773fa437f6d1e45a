package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.strategy.Profiles.Family;
import org.junit.jupiter.api.Test;

final class MinMseTest {
  private static final FormatStrategy MSE = FormatStrategy.minMse();

  private static double squaredError(FixedPointFormat format, double... values) {
    double sum = 0;
    for (double value : values) {
      double error = value - format.dequantize(format.quantize(value));
      sum += error * error;
    }
    return sum;
  }

  @Test
  void findsTheLengthsOfTheFamilies() {
    // US20200026986A1: best lengths at unit variance, by the closed form
    Map<Integer, int[]> lengths =
        Map.of(8, new int[] {4, 4, 4, 5, 5, 6, 6}, 4, new int[] {1, 1, 1, 1, 2, 2, 2});
    Family[] families = Family.values();
    for (int i = 0; i < families.length; i++) {
      for (int bitWidth : lengths.keySet()) {
        assertEquals(
            lengths.get(bitWidth)[i],
            MSE.choose(families[i].profile(1), bitWidth, true).fractionalLength(),
            families[i] + " at " + bitWidth + " bits");
      }
    }
  }

  @Test
  void reachesTheDecibelsOfTheFamilies() {
    double[] decibels = {34.7, 34.8, 34.9, 40.6, 40.9, 46.9, 46.9};
    Family[] families = Family.values();
    for (int i = 0; i < families.length; i++) {
      double[] values = families[i].quantiles(50_000);
      FixedPointFormat format = MSE.choose(Profiles.of(values), 8, true);
      Sqnr sqnr = Sqnr.create();
      for (double value : values) {
        sqnr.accept(value, format.dequantize(format.quantize(value)));
      }
      assertEquals(decibels[i], sqnr.decibels(), 0.2, families[i].name());
    }
  }

  @Test
  void followsTheScaleOfANormalDistribution() {
    double[][] lengths = {{1, 5}, {2, 4}, {4, 3}, {6, 2}, {0.1, 8}};
    for (double[] length : lengths) {
      ChannelProfile profile = Family.NORMAL.profile(length[0]);
      assertEquals((int) length[1], MSE.choose(profile, 8, true).fractionalLength());
    }
  }

  @Test
  void anUnsignedFormatOfAHalfIsTheSignedOneOfOneBitMore() {
    for (Family family : Family.values()) {
      double[] values = Profiles.scaled(0.9, family.quantiles(50_000)); // no near tie
      for (int bitWidth : new int[] {3, 4, 8}) {
        assertEquals(
            MSE.choose(Profiles.of(values), bitWidth + 1, true).fractionalLength(),
            MSE.choose(Profiles.of(Profiles.rectified(values)), bitWidth, false).fractionalLength(),
            family + " at " + bitWidth);
      }
    }
  }

  @Test
  void isTheBestOfAllFormatsOnRandomValues() {
    Random random = new Random(3);
    for (int trial = 0; trial < 300; trial++) {
      double scale = Math.scalb(1 + random.nextDouble(), random.nextInt(30) - 15);
      double power = 1 + random.nextInt(4);
      double mean = random.nextInt(3);
      double[] values = new double[500 + random.nextInt(5000)];
      for (int i = 0; i < values.length; i++) {
        double gaussian = random.nextGaussian();
        values[i] =
            (float) (scale * (mean + Math.signum(gaussian) * Math.pow(Math.abs(gaussian), power)));
      }
      boolean signed = random.nextBoolean();
      int bitWidth = 2 + random.nextInt(9);
      FixedPointFormat chosen = MSE.choose(Profiles.of(values), bitWidth, signed);
      double least = Double.POSITIVE_INFINITY;
      for (int length = chosen.fractionalLength() - 8; length <= 31; length++) {
        least = Math.min(least, squaredError(chosen.withFractionalLength(length), values));
      }
      double found = squaredError(chosen, values);
      assertTrue(found <= 1.02 * least, chosen + ": " + found + " instead of " + least);
    }
  }

  @Test
  void valuesOnTheGridStayOnIt() {
    assertEquals(0, MSE.choose(Profiles.of(127, -128, 3, 100), 8, true).fractionalLength());
    assertEquals(0, MSE.choose(Profiles.of(255, 0, 1, 17), 8, false).fractionalLength());
  }

  @Test
  void zerosDoNotMoveTheChoice() {
    double[] values = Family.LAPLACE.quantiles(20_000);
    double[] withZeros = new double[10 * values.length];
    System.arraycopy(values, 0, withZeros, 0, values.length);
    for (int bitWidth : new int[] {3, 4, 8, 12}) {
      assertEquals(
          MSE.choose(Profiles.of(values), bitWidth, true),
          MSE.choose(Profiles.of(withZeros), bitWidth, true));
    }
  }

  @Test
  void oneOutlierAmongManyIsClipped() {
    double[] values = Family.UNIFORM.quantiles(100_000);
    values[7] = 8;
    // squared errors by hand: 32 at length 4, 16 + 8 at 5, 36 + 2 at 6
    assertEquals(5, MSE.choose(Profiles.of(values), 8, true).fractionalLength());
    assertEquals(
        4, FormatStrategy.maxAbs().choose(Profiles.of(values), 8, true).fractionalLength());
  }
}
