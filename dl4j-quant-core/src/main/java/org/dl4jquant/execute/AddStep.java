package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;

/**
 * Adds inputs after shifting each channel onto the finest grid among them. Shifts are to the left,
 * per input and channel.
 */
final class AddStep implements Step {
  private final String node;
  private final ImmutableList<String> inputs;
  private final int[][] shifts;
  private final boolean ints;
  private final SumSink sink;

  AddStep(String node, ImmutableList<String> inputs, int[][] shifts, boolean ints, SumSink sink) {
    this.node = node;
    this.inputs = inputs;
    this.shifts = shifts;
    this.ints = ints;
    this.sink = sink;
  }

  private static final int TILE_ROWS = 64;

  @Override
  public void run(Frame frame) {
    sink.open(frame, node);
    int channels = shifts[0].length;
    int rows = frame.rows(node);
    for (int first = 0; first < rows; first += TILE_ROWS) {
      int count = Math.min(TILE_ROWS, rows - first);
      if (ints) {
        int[] sums = frame.workspace().ints("#sums", TILE_ROWS * channels);
        for (int i = 0; i < inputs.size(); i++) {
          addInts(frame.codes(inputs.get(i)), first, count, shifts[i], sums, i == 0);
        }
        sink.accept(frame, sums, first, count);
      } else {
        long[] sums = frame.workspace().longs(TILE_ROWS * channels);
        for (int i = 0; i < inputs.size(); i++) {
          addLongs(frame.codes(inputs.get(i)), first, count, shifts[i], sums, i == 0);
        }
        sink.accept(frame, sums, first, count);
      }
    }
  }

  private static void addInts(
      int[] codes, int first, int rows, int[] shifts, int[] sums, boolean sets) {
    int channels = shifts.length;
    for (int r = 0; r < rows; r++) {
      int from = (first + r) * channels;
      int to = r * channels;
      for (int c = 0; c < channels; c++) {
        sums[to + c] = (sets ? 0 : sums[to + c]) + (codes[from + c] << shifts[c]);
      }
    }
  }

  private static void addLongs(
      int[] codes, int first, int rows, int[] shifts, long[] sums, boolean sets) {
    int channels = shifts.length;
    for (int i = 0; i < rows * channels; i++) {
      long code = codes[first * channels + i];
      sums[i] = (sets ? 0 : sums[i]) + (code << shifts[i % channels]);
    }
  }
}
