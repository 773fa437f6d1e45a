package org.dl4jquant.execute;

import org.dl4jquant.format.Rounding;

/**
 * Rounding to the nearest of exact integers and quotients, equal to {@link Rounding#shiftRight} but
 * without its checks, so that loops over it are cheap.
 */
final class ExactRounding {
  private final boolean tiesToEven;

  private ExactRounding(boolean tiesToEven) {
    this.tiesToEven = tiesToEven;
  }

  static ExactRounding of(Rounding rounding) {
    return new ExactRounding(rounding.equals(Rounding.HALF_EVEN));
  }

  /** Returns 1 if the last kept bit decides a tie, 0 if ties go up. */
  int tieMask() {
    return tiesToEven ? 1 : 0;
  }

  /** Returns what is added before shifting right by {@code bits}, at least 1. */
  long addend(int bits) {
    return (1L << (bits - 1)) - tieMask();
  }

  /** Returns {@code value * 2^-bits}; {@code |value| < 2^62}, {@code bits >= 0}. */
  long shiftRight(long value, int bits) {
    if (bits == 0) {
      return value;
    }
    if (bits > 62) {
      return 0;
    }
    return (value + addend(bits) + ((value >> bits) & tieMask())) >> bits;
  }

  /** Returns the quotient; {@code |numerator| < 2^62}, {@code 0 < denominator < 2^62}. */
  long divide(long numerator, long denominator) {
    long floor = Math.floorDiv(numerator, denominator);
    long remainder = numerator - floor * denominator;
    long other = denominator - remainder;
    boolean up = remainder > other || (remainder == other && (!tiesToEven || (floor & 1) != 0));
    return up ? floor + 1 : floor;
  }
}
