package org.dl4jquant.execute;

/** A matrix product in 32 bits: sums of rows, each times a scalar. */
final class IntProducts {
  private static final int OUTPUTS_AT_ONCE = 3;

  private IntProducts() {}

  /** The rows of a matrix. */
  @FunctionalInterface
  interface Rows {
    /**
     * Returns a row.
     *
     * @param slot rows that are asked for with different slots (0 to 3) stay valid together
     */
    int[] row(int index, int slot);
  }

  /**
   * Adds to {@code sums[j][i]}, for j from {@code first} to {@code end} and i from {@code from} to
   * {@code to}, the sum over k of {@code scalars[j][k] * row(k)[i]}. Exact if the caller has proved
   * that no sum, partial ones included, leaves 32 bits.
   */
  static void add(
      Rows rows, int length, int[][] scalars, int[][] sums, int first, int end, int from, int to) {
    if (end - first >= OUTPUTS_AT_ONCE) {
      pairs(rows, length, scalars, sums, first, end, from, to);
    } else {
      quads(rows, length, scalars, sums, first, end, from, to);
    }
  }

  private static void pairs(
      Rows rows, int length, int[][] scalars, int[][] sums, int first, int end, int from, int to) {
    int even = length & ~1;
    for (int k = 0; k < even; k += 2) {
      int[] row0 = rows.row(k, 0);
      int[] row1 = rows.row(k + 1, 1);
      int j = first;
      for (; j + 2 < end; j += OUTPUTS_AT_ONCE) {
        int[] a = scalars[j];
        int[] b = scalars[j + 1];
        int[] c = scalars[j + 2];
        VectorLoops.twoByThree(
            row0,
            row1,
            sums[j],
            sums[j + 1],
            sums[j + 2],
            from,
            to,
            a[k],
            a[k + 1],
            b[k],
            b[k + 1],
            c[k],
            c[k + 1]);
      }
      for (; j < end; j++) {
        int[] a = scalars[j];
        VectorLoops.twoByOne(row0, row1, sums[j], from, to, a[k], a[k + 1]);
      }
    }
    if (even < length) {
      last(rows.row(even, 0), even, scalars, sums, first, end, from, to);
    }
  }

  private static void last(
      int[] row, int k, int[][] scalars, int[][] sums, int first, int end, int from, int to) {
    for (int j = first; j < end; j++) {
      VectorLoops.twoByOne(row, row, sums[j], from, to, scalars[j][k], 0);
    }
  }

  private static void quads(
      Rows rows, int length, int[][] scalars, int[][] sums, int first, int end, int from, int to) {
    int whole = length & ~3;
    for (int k = 0; k < whole; k += 4) {
      int[] row0 = rows.row(k, 0);
      int[] row1 = rows.row(k + 1, 1);
      int[] row2 = rows.row(k + 2, 2);
      int[] row3 = rows.row(k + 3, 3);
      for (int j = first; j < end; j++) {
        int[] a = scalars[j];
        VectorLoops.fourByOne(
            row0, row1, row2, row3, sums[j], from, to, a[k], a[k + 1], a[k + 2], a[k + 3]);
      }
    }
    for (int k = whole; k < length; k++) {
      last(rows.row(k, 0), k, scalars, sums, first, end, from, to);
    }
  }
}
