package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The laws of {@link NumberFormat}, for formats whose codes are evenly spaced. */
abstract class NumberFormatContract {
  private static final List<Rounding> DIRECTED =
      List.of(Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.TOWARD_ZERO, Rounding.FLOOR);

  /** Returns the formats to check; a new stream on every call. */
  abstract Stream<? extends NumberFormat> formats();

  /** Returns the roundings under which every code comes back from its value. */
  abstract List<Rounding> exactRoundings();

  @Test
  final void everyCodeComesBackFromItsValue() {
    Random random = new Random(1);
    formats()
        .forEach(
            format -> {
              for (long code : codes(format, random)) {
                double value = format.dequantize(code);
                for (Rounding rounding : exactRoundings()) {
                  assertEquals(
                      code, format.quantize(value, rounding), () -> format + " " + rounding);
                }
              }
            });
  }

  @Test
  final void quantizingIsMonotone() {
    Random random = new Random(2);
    formats()
        .forEach(
            format -> {
              double[] values = values(format, random);
              for (Rounding rounding : DIRECTED) {
                long before = format.minCode();
                for (double value : values) {
                  long code = format.quantize(value, rounding);
                  assertTrue(
                      before <= code && code <= format.maxCode(),
                      () -> format + " " + rounding + " at " + value);
                  before = code;
                }
              }
            });
  }

  @Test
  final void fakeQuantizingTwiceIsFakeQuantizingOnce() {
    Random random = new Random(3);
    formats()
        .forEach(
            format -> {
              for (double value : values(format, random)) {
                for (Rounding rounding : exactRoundings()) {
                  double once = format.fakeQuantize(value, rounding);
                  assertEquals(once, format.fakeQuantize(once, rounding), format::toString);
                }
              }
            });
  }

  @Test
  final void nearestRoundingIsOffByHalfAStepAtMost() {
    Random random = new Random(4);
    formats()
        .forEach(
            format -> {
              double step = format.dequantize(format.minCode() + 1) - format.minValue();
              // An affine format rounds the quotient and the product to float.
              double slack =
                  Math.max(Math.abs(format.minValue()), Math.abs(format.maxValue())) * 0x1p-22
                      + Float.MIN_VALUE;
              for (double value : values(format, random)) {
                if (value >= format.minValue() && value <= format.maxValue()) {
                  double error = Math.abs(format.fakeQuantize(value) - value);
                  assertTrue(error <= step / 2 + slack, () -> format + " at " + value);
                }
              }
            });
  }

  @Test
  final void valuesOutsideSaturate() {
    formats()
        .forEach(
            format -> {
              for (Rounding rounding : withStochastic()) {
                for (double large : new double[] {Double.POSITIVE_INFINITY, Double.MAX_VALUE}) {
                  assertEquals(format.maxCode(), format.quantize(large, rounding));
                  assertEquals(format.minCode(), format.quantize(-large, rounding));
                }
              }
              assertEquals(format.minValue(), format.fakeQuantize(Double.NEGATIVE_INFINITY));
              assertEquals(format.maxValue(), format.fakeQuantize(Double.POSITIVE_INFINITY));
            });
  }

  @Test
  final void notANumberIsRefused() {
    formats()
        .forEach(
            format -> {
              for (Rounding rounding : withStochastic()) {
                assertEquals(
                    "value must be a number, found NaN",
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> format.quantize(Double.NaN, rounding))
                        .getMessage());
              }
            });
  }

  @Test
  final void codesAreThoseOfTheBitWidth() {
    formats()
        .forEach(
            format -> {
              long count = format.maxCode() - format.minCode() + 1;
              long all = 1L << format.bitWidth();
              assertTrue(count == all || (format.signed() && count == all - 1), format::toString);
              assertEquals(format.signed() ? all / 2 - 1 : all - 1, format.maxCode());
            });
  }

  private static List<Rounding> withStochastic() {
    return Stream.concat(DIRECTED.stream(), Stream.of(Rounding.stochastic(5))).toList();
  }

  private static long[] codes(NumberFormat format, Random random) {
    long min = format.minCode();
    long max = format.maxCode();
    if (max - min < 64) {
      return LongStream.rangeClosed(min, max).toArray();
    }
    long[] codes = random.longs(24, min, max + 1).toArray();
    long[] edges = {min, min + 1, max - 1, max, Math.max(min, -1), Math.max(min, 0), 1};
    System.arraycopy(edges, 0, codes, 0, edges.length);
    return codes;
  }

  /** Returns ascending values inside, outside and exactly between the codes. */
  private static double[] values(NumberFormat format, Random random) {
    double low = format.minValue();
    double span = format.maxValue() - low;
    double[] values = new double[40];
    for (int i = 0; i < 20; i++) {
      values[i] = low + span * (1.4 * random.nextDouble() - 0.2);
    }
    for (int i = 20; i < 36; i++) {
      long code = random.nextLong(format.minCode(), format.maxCode());
      double tie = (format.dequantize(code) + format.dequantize(code + 1)) / 2;
      values[i] = i % 3 == 0 ? Math.nextUp(tie) : i % 3 == 1 ? tie : Math.nextDown(tie);
    }
    values[36] = 0.0;
    values[37] = Double.MIN_VALUE;
    values[38] = -Double.MIN_VALUE;
    values[39] = Double.NEGATIVE_INFINITY;
    Arrays.sort(values);
    return values;
  }
}
