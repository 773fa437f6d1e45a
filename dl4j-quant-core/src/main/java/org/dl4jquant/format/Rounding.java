package org.dl4jquant.format;

/**
 * How a number between two codes becomes one of them.
 *
 * <p>{@link #HALF_EVEN} is the default everywhere, because ONNX prescribes it. {@link #HALF_UP}
 * (floor of x + 0.5) is what the publications describe.
 *
 * <p>The two methods of one rounding agree: for an integer of at most 53 bits, {@code round(value *
 * 2^-bits)} and {@code shiftRight(value, bits)} give the same code. Of two stochastic roundings
 * with one seed this holds from call to call, because every call takes one random number.
 *
 * <p>All are thread-safe but the stochastic one, which has a state.
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
   * Returns a rounding that goes up with a probability equal to the fractional part, so that the
   * expected code is the value itself. It draws from a stream of random numbers that {@code seed}
   * fixes; what a value becomes depends on how many were rounded before. Each call of this method
   * starts the stream anew. The result is not thread-safe.
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
