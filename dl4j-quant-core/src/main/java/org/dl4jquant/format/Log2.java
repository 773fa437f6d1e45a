package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/**
 * Logarithms to base 2 that are exact at every power of two.
 *
 * <p>{@code Math.log(x) / Math.log(2)} is not: it gives 29.000000000000004 for 2^29, so that its
 * ceiling is one too large. Arguments must be positive and finite; subnormal ones are exact too.
 */
public final class Log2 {
  private static final double LN_2 = Math.log(2);

  private Log2() {}

  /**
   * Returns the logarithm, rounded. It is an integer for every power of two; for a value within a
   * few units in the last place of one it may be an integer too, where {@link #floor} and {@link
   * #ceil} still tell them apart.
   */
  public static double of(double value) {
    int floor = floor(value);
    return floor + Math.log(mantissa(value, floor)) / LN_2;
  }

  /** Returns the largest {@code n} with {@code 2^n <= value}. */
  public static int floor(double value) {
    Checks.positiveFinite("value", value);
    return value < Double.MIN_NORMAL
        ? Math.getExponent(value * 0x1p64) - 64
        : Math.getExponent(value);
  }

  /** Returns the smallest {@code n} with {@code value <= 2^n}. */
  public static int ceil(double value) {
    int floor = floor(value);
    return mantissa(value, floor) == 1 ? floor : floor + 1;
  }

  /** Returns {@code value * 2^-floor}, in two exact steps, from 1 (inclusive) to 2. */
  private static double mantissa(double value, int floor) {
    int half = floor / 2;
    return Math.scalb(Math.scalb(value, -half), half - floor);
  }
}
