package org.dl4jquant.execute;

/**
 * Loops over whole arrays in a shape that Java's compiler turns into vector instructions: every
 * array is read and written at the same index, and there are no branches ({@code Math.max} is one).
 */
final class VectorLoops {
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
}
