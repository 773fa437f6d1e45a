package org.dl4jquant.execute;

/** A matrix product in 32 bits: sums of rows, each times a scalar. */
final class IntProducts {
  private static final int MIN_FOR_TRIPLES = 3;

  private final Rows rows;
  private final int length;
  private final int[][] scalars;
  private final int[][] sums;

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
   * @param length the number of rows
   */
  IntProducts(Rows rows, int length, int[][] scalars, int[][] sums) {
    this.rows = rows;
    this.length = length;
    this.scalars = scalars;
    this.sums = sums;
  }

  /**
   * Adds to {@code sums[j][i]}, for j from {@code first} to {@code end} and i from {@code from} to
   * {@code to}, the sum over k of {@code scalars[j][k] * row(k)[i]}. Exact if the caller has proved
   * that no sum, partial ones included, leaves 32 bits.
   */
  void add(int first, int end, int from, int to) {
    int step = end - first >= MIN_FOR_TRIPLES ? 3 : 4;
    int whole = length - length % step;
    for (int k = 0; k < whole; k += step) {
      if (step == 3) {
        triple(k, first, end, from, to);
      } else {
        quad(k, first, end, from, to);
      }
    }
    for (int k = whole; k < length; k++) {
      int[] row = rows.row(k, 0);
      for (int j = first; j < end; j++) {
        int[] sum = sums[j];
        int[] a = scalars[j];
        RowKernel.add(1, false, row, row, row, row, a, a, k, sum, sum, from, to);
      }
    }
  }

  /** Two sums at once, and perhaps one left over. */
  private void triple(int k, int first, int end, int from, int to) {
    int[] row0 = rows.row(k, 0);
    int[] row1 = rows.row(k + 1, 1);
    int[] row2 = rows.row(k + 2, 2);
    for (int j = first; j < end; j += 2) {
      int next = Math.min(j + 1, end - 1);
      int[] a = scalars[j];
      int[] b = scalars[next];
      boolean two = next > j;
      RowKernel.add(3, two, row0, row1, row2, row2, a, b, k, sums[j], sums[next], from, to);
    }
  }

  private void quad(int k, int first, int end, int from, int to) {
    int[] row0 = rows.row(k, 0);
    int[] row1 = rows.row(k + 1, 1);
    int[] row2 = rows.row(k + 2, 2);
    int[] row3 = rows.row(k + 3, 3);
    for (int j = first; j < end; j++) {
      int[] sum = sums[j];
      int[] a = scalars[j];
      RowKernel.add(4, false, row0, row1, row2, row3, a, a, k, sum, sum, from, to);
    }
  }
}
