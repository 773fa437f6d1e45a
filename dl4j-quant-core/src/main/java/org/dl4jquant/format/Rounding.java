package org.dl4jquant.format;

/**
 * How a number between two codes becomes one of them.
 *
 * <p>{@link #HALF_EVEN} is the default everywhere, because ONNX prescribes it. {@link #HALF_UP}
 * (floor of x + 0.5) is what the publications describe. The two methods of one rounding agree: a
 * float divided by a power of two and an integer shifted right give the same code.
 */
public sealed interface Rounding permits DirectedRounding, StochasticRounding {
  /** To the nearest integer, ties to the even one. */
  Rounding HALF_EVEN = DirectedRounding.HALF_EVEN;

  /** To the nearest integer, ties upwards. */
  Rounding HALF_UP = DirectedRounding.HALF_UP;

  /** To the next integer towards zero. */
  Rounding TOWARD_ZERO = DirectedRounding.TOWARD_ZERO;

  /** To the next integer towards negative infinity. */
  Rounding FLOOR = DirectedRounding.FLOOR;

  /**
   * Returns a rounding that goes up with a probability equal to the fractional part, from a stream
   * of random numbers that {@code seed} fixes. Each call starts the stream anew.
   */
  static Rounding stochastic(long seed) {
    return new StochasticRounding(seed);
  }

  /** Returns {@code value} as an integer; infinite values and NaN are returned as they are. */
  double round(double value);

  /**
   * Returns {@code value * 2^-bits} as an integer.
   *
   * @param bits from -63 to 63; a negative number shifts left
   * @throws ArithmeticException if a left shift overflows
   */
  long shiftRight(long value, int bits);
}
