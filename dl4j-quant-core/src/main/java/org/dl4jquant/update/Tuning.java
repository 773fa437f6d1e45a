package org.dl4jquant.update;

/** How an update gets the digits of the residual: what becomes of the part below the last one. */
public enum Tuning {
  /** To the nearest digit, ties upwards. Unbiased but for ties. */
  ROUND(0.5),

  /**
   * Dropped, as two's complement drops digits: toward negative infinity. Every update is on average
   * half a digit too low; for parity with the publication.
   */
  TRUNCATE(0);

  private final double offset;

  Tuning(double offset) {
    this.offset = offset;
  }

  /** Returns what is added before rounding down. */
  double offset() {
    return offset;
  }

  /**
   * Returns the value as a whole number of digits. Exact for every float; the result saturates at
   * the range of a {@code long}.
   */
  long digits(double valueInDigits) {
    return (long) Math.floor(valueInDigits + offset);
  }
}
