package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.strategy.Profiles.Family;
import org.junit.jupiter.api.Test;

final class FormatStrategyTest {
  private static final List<FormatStrategy> ALL =
      FormatStrategy.names().stream().map(FormatStrategy::named).toList();

  private static int length(FormatStrategy strategy, int bitWidth, double... values) {
    return strategy.choose(Profiles.of(values), bitWidth, true).fractionalLength();
  }

  private static int unsignedLength(FormatStrategy strategy, int bitWidth, double... values) {
    return strategy.choose(Profiles.of(values), bitWidth, false).fractionalLength();
  }

  @Test
  void maxAbsFollowsTheRangeRule() {
    // US20230117033A1 as the range rule il = ceil(log2(max)) + 1, fl = b - il
    assertEquals(8, length(FormatStrategy.maxAbs(), 8, 0.4, -0.1));
    assertEquals(8, length(FormatStrategy.maxAbs(), 8, 0.5));
    assertEquals(7, length(FormatStrategy.maxAbs(), 8, 1));
    assertEquals(6, length(FormatStrategy.maxAbs(), 8, 0.1, -1.5));
    assertEquals(12, length(FormatStrategy.maxAbs(), 8, 0.03));
    assertEquals(14, length(FormatStrategy.maxAbs(), 16, 1.5));
    assertEquals(8, unsignedLength(FormatStrategy.maxAbs(), 8, 1, 0));
    assertEquals(7, unsignedLength(FormatStrategy.maxAbs(), 8, 1.01, 0));
  }

  @Test
  void meanPlusFourSigmasGivesTheLengthsOfTheNormalDistribution() {
    FormatStrategy strategy = FormatStrategy.meanPlusSigmas(4);
    double[][] lengths = {{1, 5}, {2, 4}, {4, 3}, {6, 2}, {0.1, 8}};
    for (double[] length : lengths) {
      ChannelProfile profile = Family.NORMAL.profile(length[0] * 0.9999);
      assertEquals(
          (int) length[1], strategy.choose(profile, 8, true).fractionalLength(), "at " + length[0]);
    }
  }

  @Test
  void meanPlusSigmasMirrorsThePositiveHalfForUnsignedFormats() {
    double[] positive = Profiles.rectified(Family.NORMAL.quantiles(50_000));
    assertEquals(6, unsignedLength(FormatStrategy.meanPlusSigmas(3.99), 8, positive));
    assertEquals(5, unsignedLength(FormatStrategy.meanPlusSigmas(4.01), 8, positive));
  }

  @Test
  void meanPlusSigmasStandsAroundTheMean() {
    // mean 10, deviation 1
    assertEquals(3, length(FormatStrategy.meanPlusSigmas(1), 8, 9, 11, 9, 11));
    assertEquals(4, length(FormatStrategy.meanPlusSigmas(1), 8, -0.9, -1.1, -6.9, -7.1));
  }

  @Test
  void percentileLeavesOutTheOutliers() {
    double[] values = new double[1000];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i % 2 == 0 ? 1 : -1) * 0.9 * i / values.length;
    }
    values[998] = 3.5;
    values[999] = -100;
    assertEquals(0, length(FormatStrategy.percentile(100), 8, values));
    assertEquals(5, length(FormatStrategy.percentile(99.9), 8, values));
    assertEquals(7, length(FormatStrategy.percentile(99.8), 8, values));
    assertEquals(6, unsignedLength(FormatStrategy.percentile(100), 8, values));
    assertEquals(8, unsignedLength(FormatStrategy.percentile(99.9), 8, values));
    assertEquals(9, unsignedLength(FormatStrategy.percentile(75), 8, values));
  }

  @Test
  void deadChannelsGetTheRangeOfOne() {
    double[][] dead = {{}, {0}, {0, -0.0, 0}, {Double.NaN}, {Float.MIN_VALUE, 0}};
    for (FormatStrategy strategy : ALL) {
      for (double[] values : dead) {
        String message = strategy + " of " + values.length;
        ChannelProfile profile = Profiles.of(values);
        assertEquals(FixedPointFormat.signed(8, 7), strategy.choose(profile, 8, true), message);
        assertEquals(FixedPointFormat.unsigned(4, 4), strategy.choose(profile, 4, false), message);
      }
      assertEquals(
          FixedPointFormat.unsigned(8, 8),
          strategy.choose(Profiles.of(-3, -1, 0), 8, false),
          strategy + " of negative values in an unsigned format");
    }
  }

  @Test
  void aConstantIsCarriedWithinOneStep() {
    for (FormatStrategy strategy : ALL) {
      for (double constant : new double[] {0.3, -0.3, 1, -2, 1e-6, 77, 1e5}) {
        FixedPointFormat format =
            strategy.choose(Profiles.of(constant, constant, constant), 8, true);
        double carried = format.dequantize(format.quantize(constant));
        assertEquals(constant, carried, format.scale(), strategy + " of " + constant);
        assertEquals(constant, carried, Math.abs(constant) / 64, strategy + " of " + constant);
      }
    }
  }

  @Test
  void fractionalLengthsStayWithinTheirLimits() {
    for (FormatStrategy strategy : ALL) {
      int finest =
          strategy.candidates().contains(FormatStrategy.minMse())
              ? 61
              : 62; // equally bad: the coarser one
      assertEquals(finest, length(strategy, 8, 1e-20, -2e-20), strategy + " of tiny values");
      assertEquals(-62, length(strategy, 8, 1e30, -2e30), strategy + " of huge values");
    }
  }

  @Test
  void everyStrategyKeepsBitWidthAndSign() {
    ChannelProfile profile = Family.LAPLACE.profile(1);
    for (FormatStrategy strategy : ALL) {
      for (int bitWidth : new int[] {2, 3, 4, 8, 12, 16}) {
        for (boolean signed : new boolean[] {true, false}) {
          FixedPointFormat format = strategy.choose(profile, bitWidth, signed);
          assertEquals(bitWidth, format.bitWidth());
          assertEquals(signed, format.signed());
        }
      }
    }
  }

  @Test
  void valuesBeyondTheRangeOfFloatDoNotMove() {
    for (FormatStrategy strategy : ALL) {
      assertEquals(
          strategy.choose(Profiles.of(1, 2, -0.3), 8, true),
          strategy.choose(Profiles.of(1, Double.NaN, 2, Double.POSITIVE_INFINITY, -0.3), 8, true));
    }
  }

  @Test
  void refusesWhatIsOutOfRange() {
    for (FormatStrategy strategy : ALL) {
      assertMessage("bitWidth must be between 2 and 16, found 17", () -> length(strategy, 17, 1));
      assertMessage("bitWidth must be between 2 and 16, found 1", () -> length(strategy, 1, 1));
    }
    assertMessage(
        "percent must be greater than 0 and at most 100, found 0.0",
        () -> FormatStrategy.percentile(0));
    assertMessage(
        "percent must be greater than 0 and at most 100, found NaN",
        () -> FormatStrategy.percentile(Double.NaN));
    assertMessage(
        "sigmas must be positive and finite, found -1.0", () -> FormatStrategy.meanPlusSigmas(-1));
  }

  static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }

  static void assertMessageStarts(String start, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertEquals(start, message.substring(0, Math.min(start.length(), message.length())));
  }
}
