package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class MomentsAccumulatorTest extends AccumulatorContract<MomentsAccumulator, Moments> {
  private static final double TOLERANCE = 1e-9;

  @Override
  MomentsAccumulator create() {
    return MomentsAccumulator.create();
  }

  @Override
  void assertSame(Moments expected, Moments actual, String when) {
    assertEquals(expected.count(), actual.count(), when);
    assertEquals(expected.zeros(), actual.zeros(), when);
    assertEquals(expected.positives(), actual.positives(), when);
    assertEquals(expected.nonFinite(), actual.nonFinite(), when);
    assertEquals(expected.min(), actual.min(), when);
    assertEquals(expected.max(), actual.max(), when);
    double sigma = expected.standardDeviation();
    assertEquals(expected.mean(), actual.mean(), TOLERANCE * sigma, when);
    close(expected.meanAbs(), actual.meanAbs(), when);
    close(expected.meanSquare(), actual.meanSquare(), when);
    close(expected.positiveMeanSquare(), actual.positiveMeanSquare(), when);
    for (int p = 2; p <= 6; p++) {
      double scale = p % 2 == 0 ? expected.centralMoment(p) : Math.pow(sigma, p);
      assertEquals(
          expected.centralMoment(p), actual.centralMoment(p), TOLERANCE * scale, when + ", " + p);
    }
  }

  private static void close(double expected, double actual, String when) {
    assertEquals(expected, actual, TOLERANCE * Math.abs(expected), when);
  }

  @Test
  void agreesWithExactArithmetic() {
    for (double mean : new double[] {0, 1, -3, 1000}) {
      float[] values = new float[700];
      Random random = new Random(3);
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (mean + random.nextGaussian() * (i % 7 == 0 ? 3 : 1));
      }
      MomentsAccumulator single = create();
      for (float value : values) {
        single.accept(value);
      }
      MomentsAccumulator bulk = create();
      bulk.acceptAll(values, 0, 123, 1);
      bulk.acceptAll(values, 123, 700, 1);
      assertExact(values, single.snapshot());
      assertExact(values, bulk.snapshot());
    }
  }

  private static void assertExact(float[] values, Moments actual) {
    BigDecimal n = BigDecimal.valueOf(values.length);
    MathContext digits = new MathContext(60);
    BigDecimal mean = BigDecimal.ZERO;
    for (float value : values) {
      mean = mean.add(new BigDecimal(value));
    }
    mean = mean.divide(n, digits);
    assertEquals(mean.doubleValue(), actual.mean(), TOLERANCE);
    for (int p = 2; p <= 6; p++) {
      BigDecimal signed = BigDecimal.ZERO;
      BigDecimal absolute = BigDecimal.ZERO;
      for (float value : values) {
        BigDecimal power = new BigDecimal(value).subtract(mean).pow(p, digits);
        signed = signed.add(power);
        absolute = absolute.add(power.abs());
      }
      double scale = absolute.divide(n, digits).doubleValue();
      double expected = signed.divide(n, digits).doubleValue();
      assertEquals(expected, actual.centralMoment(p), TOLERANCE * scale, "order " + p);
    }
  }

  @Test
  void knowsSmallCasesExactly() {
    MomentsAccumulator bulk = create();
    bulk.acceptAll(new float[] {-1, 0, 3, -2}, 0, 4, 1);
    Moments moments = bulk.snapshot();
    assertEquals(0, moments.mean());
    assertEquals(3.5, moments.variance());
    assertEquals(18 / 4.0, moments.centralMoment(3));
    assertEquals(98 / 4.0, moments.centralMoment(4));
    assertEquals(210 / 4.0, moments.centralMoment(5));
    assertEquals(794 / 4.0, moments.centralMoment(6));
    assertEquals(1.5, moments.meanAbs());
    assertEquals(3.5, moments.meanSquare());
    assertEquals(9, moments.positiveMeanSquare());
    assertEquals(1, moments.positives());
    assertEquals(1, moments.zeros());
    assertEquals(3, moments.maxAbs());
    assertEquals(4.5 / Math.pow(3.5, 1.5), moments.skewness(), 1e-15);
    assertEquals(24.5 / 12.25, moments.kurtosis(), 1e-14);
  }

  @Test
  void bulkWalksInStrides() {
    float[] values = {9, 1, 9, 9, -4, Float.NaN, 9, 2, 9, 9};
    MomentsAccumulator strided = create();
    strided.acceptAll(values, 1, 9, 3);
    assertSame(of(1, -4, 2).snapshot(), strided.snapshot(), "stride");
    MomentsAccumulator once = create();
    once.acceptAll(values, 9, 10, Integer.MAX_VALUE);
    assertSame(of(9).snapshot(), once.snapshot(), "huge stride");
    MomentsAccumulator none = create();
    none.acceptAll(values, 5, 6, 1);
    none.acceptAll(values, 3, 3, 1);
    assertEquals(of(Double.NaN).snapshot(), none.snapshot());
  }

  @Test
  void theWholeRangeOfFloatsNeitherOverflowsNorVanishes() {
    Moments large = of(Float.MAX_VALUE, -Float.MAX_VALUE).snapshot();
    assertEquals(1, large.standardized(6), 1e-12);
    Moments small = of(Float.MIN_VALUE, -Float.MIN_VALUE).snapshot();
    assertEquals(1, small.standardized(6), 1e-12);
    assertEquals(2, of(0x1p128, -1e300).snapshot().nonFinite());
  }

  @Test
  void nothingSeenIsNotANumber() {
    Moments none = of(Double.NaN).snapshot();
    assertEquals(0, none.count());
    assertEquals(1, none.nonFinite());
    double[] undefined = {
      none.min(), none.max(), none.mean(), none.variance(), none.kurtosis(), none.meanAbs()
    };
    Arrays.stream(undefined).forEach(value -> assertEquals(Double.NaN, value));
    assertEquals(Double.NaN, of(5, 5).snapshot().kurtosis());
    assertEquals(0, of(5, 5).snapshot().centralMoment(6));
    assertEquals(Double.NaN, of(-5).snapshot().positiveMeanSquare());
  }

  @Test
  void refusesWhatIsOutOfRange() {
    assertMessage(
        "to must be between 0 and 2, found 3", () -> create().acceptAll(new float[2], 0, 3, 1));
    assertMessage(
        "from must be between 0 and 1, found 2", () -> create().acceptAll(new float[2], 2, 1, 1));
    assertMessage(
        "stride must be at least 1, found 0", () -> create().acceptAll(new float[2], 0, 2, 0));
    assertMessage(
        "order must be between 2 and 6, found 7", () -> of(1).snapshot().centralMoment(7));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
