package org.dl4jquant.execute;

/** One output row of a pooling window's rows, joined column by column. Used by one thread. */
final class PoolLine {
  private final CodeArrays in;
  private final WindowTable table;
  private final boolean max;
  private final int length;
  private final int[] line;
  private final int[] other;
  private int rows;

  PoolLine(CodeArrays in, WindowTable table, boolean max, int[][] buffers) {
    this.in = in;
    this.table = table;
    this.max = max;
    this.length = in.shape().width() * in.batch();
    this.line = buffers[0];
    this.other = buffers[1];
  }

  /** Joins the input rows that output row {@code y} meets, by maximum or sum. */
  void join(int[] plane, int y) {
    rows = 0;
    for (int k = 0; k < table.rows().kernel(); k++) {
      int row = table.rows().at(y, k);
      if (row >= 0) {
        System.arraycopy(plane, row * length, rows == 0 ? line : other, 0, length);
        if (rows > 0 && max) {
          VectorLoops.max(other, line, 0, length);
        } else if (rows > 0) {
          VectorLoops.addShifted(other, line, 0, length, 0);
        }
        rows++;
      }
    }
  }

  /** Returns how many rows were joined. */
  int rows() {
    return rows;
  }

  /** Returns the largest code of the columns that output {@code x} meets; 0 if none. */
  int max(int x, int example) {
    int largest = Integer.MIN_VALUE;
    for (int k = 0; k < table.columns().kernel(); k++) {
      int column = table.columns().at(x, k);
      if (column >= 0) {
        largest = Math.max(largest, line[column * in.batch() + example]);
      }
    }
    return rows == 0 || largest == Integer.MIN_VALUE ? 0 : largest;
  }

  /** Returns how many columns output {@code x} meets. */
  int columns(int x) {
    int columns = 0;
    for (int k = 0; k < table.columns().kernel(); k++) {
      columns += table.columns().at(x, k) >= 0 ? 1 : 0;
    }
    return columns;
  }

  /** Returns the sum of the columns that output {@code x} meets. */
  int sum(int x, int example) {
    int sum = 0;
    for (int k = 0; rows > 0 && k < table.columns().kernel(); k++) {
      int column = table.columns().at(x, k);
      if (column >= 0) {
        sum += line[column * in.batch() + example];
      }
    }
    return sum;
  }
}
