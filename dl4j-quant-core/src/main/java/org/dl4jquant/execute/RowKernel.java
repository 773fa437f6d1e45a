package org.dl4jquant.execute;

/**
 * The innermost loops of all matrix products: rows, each times a scalar, are added to sums.
 *
 * <p>The forms were chosen by measurement on Java 17, whose compiler makes vector instructions of
 * these loops, but not of others that look alike (arrays at different offsets, two rows by two
 * sums). Where it inlines them into the loops of their callers it often fails to; so they are all
 * in one method, which with more than 325 bytecodes is too large to be inlined.
 */
final class RowKernel {
  /** How many rows are used at once at most. */
  static final int MAX_ROWS = 4;

  private RowKernel() {}

  /**
   * Adds {@code a[k] * row0[i] + a[k + 1] * row1[i] + …}, over the first {@code count} rows, to
   * {@code sum0[i]}, and the same with {@code b} to {@code sum1[i]} if {@code twoSums}.
   *
   * @param count 1, 3 or 4; 3 if there are two sums
   */
  static void add(
      int count,
      boolean twoSums,
      int[] row0,
      int[] row1,
      int[] row2,
      int[] row3,
      int[] a,
      int[] b,
      int k,
      int[] sum0,
      int[] sum1,
      int from,
      int to) {
    int a0 = a[k];
    if (count == 1) {
      for (int i = from; i < to; i++) {
        sum0[i] += a0 * row0[i];
      }
      return;
    }
    int a1 = a[k + 1];
    int a2 = a[k + 2];
    if (twoSums) {
      int b0 = b[k];
      int b1 = b[k + 1];
      int b2 = b[k + 2];
      for (int i = from; i < to; i++) {
        int x = row0[i];
        int y = row1[i];
        int z = row2[i];
        sum0[i] += a0 * x + a1 * y + a2 * z;
        sum1[i] += b0 * x + b1 * y + b2 * z;
      }
    } else if (count == 3) {
      for (int i = from; i < to; i++) {
        int x = row0[i];
        int y = row1[i];
        int z = row2[i];
        sum0[i] += a0 * x + a1 * y + a2 * z;
      }
    } else {
      int a3 = a[k + 3];
      for (int i = from; i < to; i++) {
        int x = row0[i];
        int y = row1[i];
        int z = row2[i];
        int u = row3[i];
        sum0[i] = sum0[i] + (a0 * x + a1 * y) + (a2 * z + a3 * u);
      }
    }
  }
}
