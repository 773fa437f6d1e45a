package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

final class PdfFamilyTest {
  private static final List<PdfFamily> FAMILIES = List.of(PdfFamily.values());
  private static final int[] WIDTHS = {2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16};

  /** The thresholds for {@link #WIDTHS}, found by other means, to three digits. */
  private static final double[][] GOLDEN = {
    {-.469, -.863, -1.215, -1.562, -1.904, -2.242, -2.577, -2.911, -3.245, -3.912, -5.245},
    {-.244, -.891, -1.567, -2.271, -3.004, -3.765, -4.550, -5.357, -6.183, -7.878, -11.397},
    {-.350, -.989, -1.664, -2.372, -3.110, -3.876, -4.666, -5.477, -6.305, -8.005, -11.530},
    {-.401, -1.061, -1.759, -2.484, -3.235, -4.011, -4.809, -5.626, -6.460, -8.169, -11.705},
    {-.461, -1.205, -1.981, -2.778, -3.597, -4.438, -5.298, -6.175, -7.065, -8.877, -12.591},
    {-.501, -1.324, -2.164, -3.026, -3.914, -4.825, -5.756, -6.702, -7.661, -9.606, -13.557},
    {-.524, -1.446, -2.331, -3.239, -4.170, -5.118, -6.082, -7.056, -8.038, -10.018, -14.004},
    {-.529, -1.504, -2.435, -3.362, -4.311, -5.277, -6.253, -7.237, -8.227, -10.215, -14.209}
  };

  private static double integral(double from, double to, DoubleUnaryOperator function) {
    double middle = (from + to) / 2;
    double reach = (to - from) / 2;
    double outer = Math.sqrt(0.6) * reach;
    return reach
        * (5 * function.applyAsDouble(middle - outer)
            + 8 * function.applyAsDouble(middle)
            + 5 * function.applyAsDouble(middle + outer))
        / 9;
  }

  /**
   * By Gauss-Legendre quadrature, code by code; of a signed format, which has one code more below.
   */
  private static double squaredError(PdfFamily family, double step, int bitWidth) {
    long largest = (1L << (bitWidth - 1)) - 1;
    return half(family, step, largest) + half(family, step, largest + 1);
  }

  private static double half(PdfFamily family, double step, long largest) {
    double sum = 0;
    int parts = largest > 100 ? 1 : 64;
    for (long code = 0; code <= largest; code++) {
      double from = Math.max(0, (code - 0.5) * step);
      double to = Math.min(family.edge(), code == largest ? code * step : (code + 0.5) * step);
      double center = code * step;
      for (int p = 0; p < parts && from < to; p++) {
        double width = (to - from) / parts;
        sum +=
            integral(
                from + p * width,
                from + (p + 1) * width,
                x -> family.density(x) * (x - center) * (x - center));
      }
    }
    return sum + beyond(family, largest * step);
  }

  /** The tail, with {@code x = top + t / (1 - t)}. */
  private static double beyond(PdfFamily family, double top) {
    int parts = 4000;
    double sum = 0;
    for (int p = 0; p < parts && top < family.edge(); p++) {
      sum +=
          integral(
              (double) p / parts,
              (p + 1.0) / parts,
              t -> {
                double away = t / (1 - t);
                double squares = family.density(top + away) * away * away;
                return squares / ((1 - t) * (1 - t));
              });
    }
    return sum;
  }

  @Test
  void theDensitiesHaveMassOneAndVarianceOne() {
    for (PdfFamily family : PdfFamily.values()) {
      double mass = 2 * beyond(family, 0, x -> 1);
      double variance = 2 * beyond(family, 0, x -> x * x);
      assertEquals(1, mass, 1e-4, family + " mass");
      assertEquals(1, variance, 2e-3, family + " variance");
      if (Double.isFinite(family.kurtosis())) {
        double fourth = 2 * beyond(family, 0, x -> x * x * x * x);
        assertEquals(family.kurtosis(), fourth, 2e-3 * fourth, family + " kurtosis");
      }
    }
  }

  private static double beyond(PdfFamily family, double from, DoubleUnaryOperator weight) {
    int parts = 40_000;
    double sum = 0;
    for (int p = 0; p < parts; p++) {
      sum +=
          integral(
              (double) p / parts,
              (p + 1.0) / parts,
              t -> {
                double x = from + t / (1 - t);
                return family.density(x) * weight.applyAsDouble(x) / ((1 - t) * (1 - t));
              });
    }
    return sum;
  }

  @Test
  void thresholdsAreThoseOfTheNote() {
    for (PdfFamily family : PdfFamily.values()) {
      for (int i = 0; i < WIDTHS.length; i++) {
        assertEquals(
            GOLDEN[FAMILIES.indexOf(family)][i],
            family.threshold(WIDTHS[i]),
            6e-4,
            family + " at " + WIDTHS[i]);
      }
    }
  }

  @Test
  void atTheThresholdAStepTwiceAsLargeIsJustAsGood() {
    for (PdfFamily family : PdfFamily.values()) {
      for (int bitWidth = 2; bitWidth <= 11; bitWidth++) {
        double threshold = family.threshold(bitWidth);
        double below = Math.pow(2, threshold - 0.01);
        double above = Math.pow(2, threshold + 0.01);
        String message = family + " at " + bitWidth + " bits";
        assertTrue(
            squaredError(family, 2 * below, bitWidth) < squaredError(family, below, bitWidth),
            message);
        assertTrue(
            squaredError(family, 2 * above, bitWidth) > squaredError(family, above, bitWidth),
            message);
      }
    }
  }

  @Test
  void fractionalLengthsForADeviationOfOne() {
    int[] at8 = {2, 4, 4, 4, 5, 5, 6, 6};
    int[] at4 = {1, 1, 1, 1, 1, 2, 2, 2};
    for (PdfFamily family : PdfFamily.values()) {
      assertEquals(
          at8[FAMILIES.indexOf(family)], family.fractionalLength(1, 8), family + " at 8 bits");
      assertEquals(
          at4[FAMILIES.indexOf(family)], family.fractionalLength(1, 4), family + " at 4 bits");
    }
    double[][] normal = {{1, 5}, {2, 4}, {4, 3}, {6, 2}, {0.1, 8}, {0x1p29, -24}, {0x1p-29, 34}};
    for (double[] deviation : normal) {
      assertEquals(deviation[1], PdfFamily.NORMAL.fractionalLength(deviation[0], 8));
    }
  }

  @Test
  void signalToNoiseAtTheBestLength() {
    double[] decibels = {18.4, 34.7, 34.8, 34.9, 40.6, 40.9, 46.9, 46.9};
    for (PdfFamily family : PdfFamily.values()) {
      double step = Math.scalb(1.0, -family.fractionalLength(1, 8));
      double found = -10 * Math.log10(squaredError(family, step, 8));
      assertEquals(decibels[FAMILIES.indexOf(family)], found, 0.06, family.toString());
    }
  }

  @Test
  void theNearestKurtosis() {
    assertEquals(PdfFamily.SUPER_CAUCHY, PdfFamily.nearest(Double.NaN));
    assertEquals(PdfFamily.SUPER_CAUCHY, PdfFamily.nearest(Double.POSITIVE_INFINITY));
    assertEquals(PdfFamily.SUPER_CAUCHY, PdfFamily.nearest(8.6));
    assertEquals(PdfFamily.LAPLACE, PdfFamily.nearest(8.4));
    assertEquals(PdfFamily.UNIFORM, PdfFamily.nearest(1));
    for (PdfFamily family : PdfFamily.values()) {
      assertEquals(family, PdfFamily.nearest(family.kurtosis()));
    }
  }
}
