package org.dl4jquant.execute;

/**
 * The innermost loops, in the shape that HotSpot's compiler turns into vector instructions: every
 * array is read and written at the same index, few arrays meet in one loop, and there are no
 * branches. (Arrays at different offsets stay scalar, and so do {@code Math.max} and {@code min}.)
 */
final class VectorLoops {
  private VectorLoops() {}

  /** Adds two rows, each times a scalar, to each of three sums. */
  static void twoByThree(
      int[] row0,
      int[] row1,
      int[] sum0,
      int[] sum1,
      int[] sum2,
      int from,
      int to,
      int a0,
      int a1,
      int b0,
      int b1,
      int c0,
      int c1) {
    for (int i = from; i < to; i++) {
      int x = row0[i];
      int y = row1[i];
      sum0[i] += a0 * x + a1 * y;
      sum1[i] += b0 * x + b1 * y;
      sum2[i] += c0 * x + c1 * y;
    }
  }

  /** Adds two rows, each times a scalar, to a sum. */
  static void twoByOne(int[] row0, int[] row1, int[] sum, int from, int to, int a0, int a1) {
    for (int i = from; i < to; i++) {
      sum[i] += a0 * row0[i] + a1 * row1[i];
    }
  }

  /** Adds four rows, each times a scalar, to a sum. */
  static void fourByOne(
      int[] row0,
      int[] row1,
      int[] row2,
      int[] row3,
      int[] sum,
      int from,
      int to,
      int a0,
      int a1,
      int a2,
      int a3) {
    for (int i = from; i < to; i++) {
      sum[i] = sum[i] + (a0 * row0[i] + a1 * row1[i]) + (a2 * row2[i] + a3 * row3[i]);
    }
  }

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
