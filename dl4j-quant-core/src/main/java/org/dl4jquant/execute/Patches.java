package org.dl4jquant.execute;

import java.util.Arrays;

/**
 * Lays out what one weight of a kernel meets at each output position: a row of the matrix that a
 * convolution multiplies by, at the indices of the output.
 */
final class Patches {
  private static final int SHORT = 16;

  private final CodeArrays in;
  private final WindowTable table;
  private final Tile tile;
  private final int[][] buffers;
  private final int firstBuffer;
  private final int area;

  Patches(CodeArrays in, WindowTable table, Tile tile, int[][] buffers, int firstBuffer) {
    this.in = in;
    this.table = table;
    this.tile = tile;
    this.buffers = buffers;
    this.firstBuffer = firstBuffer;
    this.area = table.rows().kernel() * table.columns().kernel();
  }

  /**
   * Returns what the kernel element {@code element}, counted channel by channel, meets in the tile.
   *
   * @param slot which buffer to use, unless the input itself is the answer
   */
  int[] row(int element, int slot) {
    int[] plane = in.array(element / area);
    if (table.everyPosition()) {
      return plane;
    }
    int[] buffer = buffers[firstBuffer + slot];
    int kernelRow = element % area / table.columns().kernel();
    int kernelColumn = element % table.columns().kernel();
    for (int y = tile.fromY(); y < tile.toY(); y++) {
      int inputRow = table.rows().at(y, kernelRow);
      int to = y * tile.width();
      if (inputRow < 0) {
        fill(buffer, to + tile.fromX(), to + tile.toX());
      } else {
        line(plane, inputRow * in.shape().width(), kernelColumn, buffer, to);
      }
    }
    return buffer;
  }

  private void fill(int[] buffer, int from, int to) {
    Arrays.fill(buffer, from * in.batch(), to * in.batch(), 0);
  }

  private void line(int[] plane, int from, int kernelColumn, int[] buffer, int to) {
    for (Lookup.Run run : table.columns().runs(kernelColumn)) {
      int start = Math.max(run.start(), tile.fromX());
      int end = Math.min(run.start() + run.length(), tile.toX());
      if (start < end && run.input() < 0) {
        fill(buffer, to + start, to + end);
      } else if (start < end) {
        int first = from + run.input() + (start - run.start()) * run.step();
        copy(plane, first, run.step(), end - start, buffer, to + start);
      }
    }
  }

  private void copy(int[] plane, int first, int step, int count, int[] buffer, int to) {
    int batch = in.batch();
    if (step == 1 && count * batch >= SHORT) {
      System.arraycopy(plane, first * batch, buffer, to * batch, count * batch);
    } else if (batch == 1) {
      for (int i = 0; i < count; i++) {
        buffer[to + i] = plane[first + i * step];
      }
    } else {
      for (int i = 0; i < count; i++) {
        int source = (first + i * step) * batch;
        int target = (to + i) * batch;
        for (int e = 0; e < batch; e++) {
          buffer[target + e] = plane[source + e];
        }
      }
    }
  }
}
