package org.dl4jquant.execute;

import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Shape;

/** A depthwise convolution with 32-bit sums, all channels of a position at once. */
final class DepthwiseStep implements Step {
  private static final int TILE_ROWS = 16;

  private final String node;
  private final String input;
  private final Convolution op;
  private final int[] weights;
  private final int[] bias;
  private final SumSink sink;

  /**
   * @param weights {@code [kernel row][kernel column][output channel]}
   */
  DepthwiseStep(
      String node, String input, Convolution op, int[] weights, int[] bias, SumSink sink) {
    this.node = node;
    this.input = input;
    this.op = op;
    this.weights = weights;
    this.bias = bias;
    this.sink = sink;
  }

  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    sink.open(frame, node);
    Shape in = frame.shape(input);
    Shape out = frame.shape(node);
    WindowTable table = WindowTable.of(op.window(), in, out);
    int rows = frame.rows(node);
    int channels = bias.length;
    int[] sums = frame.workspace().ints("#sums", TILE_ROWS * channels);
    for (int first = 0; first < rows; first += TILE_ROWS) {
      int count = Math.min(TILE_ROWS, rows - first);
      for (int r = 0; r < count; r++) {
        System.arraycopy(bias, 0, sums, r * channels, channels);
        position(codes, table, in, out, first + r, sums, r * channels);
      }
      sink.accept(frame, sums, first, count);
    }
  }

  private void position(
      int[] codes, WindowTable table, Shape in, Shape out, int row, int[] sums, int to) {
    int perExample = out.height() * out.width();
    int example = row / perExample;
    int y = row % perExample / out.width();
    int x = row % perExample % out.width();
    for (int ky = 0; ky < table.kernelHeight(); ky++) {
      int line = table.rows().at(y, ky);
      for (int kx = 0; line >= 0 && kx < table.kernelWidth(); kx++) {
        int column = table.columns().at(x, kx);
        if (column >= 0) {
          int from = ((example * in.height() + line) * in.width() + column) * in.channels();
          tap(codes, from, (ky * table.kernelWidth() + kx) * bias.length, sums, to, in.channels());
        }
      }
    }
  }

  private void tap(int[] codes, int from, int weight, int[] sums, int to, int channels) {
    int multiplier = bias.length / channels;
    if (multiplier == 1) {
      axpy(codes, from, weights, weight, sums, to, channels);
      return;
    }
    for (int o = 0; o < bias.length; o++) {
      sums[to + o] += codes[from + o / multiplier] * weights[weight + o];
    }
  }

  private static void axpy(
      int[] codes, int from, int[] weights, int weight, int[] sums, int to, int channels) {
    for (int c = 0; c < channels; c++) {
      sums[to + c] += codes[from + c] * weights[weight + c];
    }
  }
}
