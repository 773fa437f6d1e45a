package org.dl4jquant.execute;

/**
 * Loops over whole arrays in a shape that Java's compiler turns into vector instructions: every
 * array is read and written at the same index, and there are no branches ({@code Math.max} is one).
 */
final class VectorLoops {
  /** Adding and subtracting it rounds a float of less than 2^22 to an integer, half to even. */
  private static final float ROUNDER = 0x1.8p23f;

  private VectorLoops() {}

  /** Sets {@code to[i] = factor * from[i] + addend}. */
  static void scale(int[] source, int[] target, int from, int to, int factor, int addend) {
    for (int i = from; i < to; i++) {
      target[i] = factor * source[i] + addend;
    }
  }

  /** Adds {@code source[i] << shift}. */
  static void addShifted(int[] source, int[] target, int from, int to, int shift) {
    for (int i = from; i < to; i++) {
      target[i] += source[i] << shift;
    }
  }

  /** Adds {@code source[i] << shifts[i]}. */
  static void addShifted(int[] source, int[] target, int from, int to, int[] shifts) {
    for (int i = from; i < to; i++) {
      target[i] += source[i] << shifts[i];
    }
  }

  /** Keeps the larger; differences must fit 31 bits. */
  static void max(int[] source, int[] target, int from, int to) {
    for (int i = from; i < to; i++) {
      int excess = source[i] - target[i];
      target[i] += excess & ~(excess >> 31);
    }
  }

  /**
   * Shifts right with rounding and saturates.
   *
   * @param addend half a step, less one where ties go to even
   * @param tieMask 1 where ties go to even, else 0
   */
  static void requantize(
      int[] sums,
      int[] codes,
      int from,
      int to,
      int shift,
      int addend,
      int tieMask,
      int lowest,
      int highest) {
    int range = highest - lowest;
    for (int i = from; i < to; i++) {
      int sum = sums[i];
      int above = ((sum + addend + ((sum >> shift) & tieMask)) >> shift) - lowest;
      int below = range - (above & ~(above >> 31));
      codes[i] = highest - (below & ~(below >> 31));
    }
  }

  /** Sums times {@code multiplier}, saturated and rounded half to even. */
  static void requantize(
      int[] sums, int[] codes, int from, int to, float multiplier, float lowest, float highest) {
    for (int i = from; i < to; i++) {
      float steps = Math.max(lowest, Math.min(highest, sums[i] * multiplier));
      codes[i] = (int) ((steps + ROUNDER) - ROUNDER);
    }
  }

  /** Returns a number of steps, saturated and rounded half to even. */
  static int code(float steps, float lowest, float highest) {
    return (int) ((Math.max(lowest, Math.min(highest, steps)) + ROUNDER) - ROUNDER);
  }

  /** Sets {@code sums[i] = keep * sums[i] + codes[i] * ratio}, each product and sum in float. */
  static void addScaled(int[] codes, float[] sums, float ratio, float keep) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] = keep * sums[i] + codes[i] * ratio;
    }
  }

  /** Saturates numbers of steps and rounds them half to even. */
  static void round(float[] steps, int[] codes, float lowest, float highest) {
    for (int i = 0; i < steps.length; i++) {
      codes[i] = code(steps[i], lowest, highest);
    }
  }
}
