package org.dl4jquant.stats;

import org.dl4jquant.internal.Checks;

/** Which values count, and which elements of an array a bulk call walks over. */
final class FloatRange {
  private static final double LIMIT = 0x1p128;

  private FloatRange() {}

  /** Returns whether {@code value} is a number below 2^128 in magnitude. */
  static boolean holds(double value) {
    return Math.abs(value) < LIMIT;
  }

  static void check(float[] values, int from, int to, int stride) {
    Checks.inRange("to", to, 0, values.length);
    Checks.inRange("from", from, 0, to);
    Checks.positive("stride", stride);
  }

  /** Returns {@code index + stride}, or {@code to} where that would be beyond it. */
  static int next(int index, int stride, int to) {
    return stride >= to - index ? to : index + stride;
  }
}
