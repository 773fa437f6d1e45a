package org.dl4jquant.execute;

import org.dl4jquant.format.Rounding;

/**
 * A factor and a shift per channel, in 64 bits. A product may be shifted right, with rounding,
 * before the bias is added.
 */
final class AffineStep implements Step {
  private final String node;
  private final String input;
  private final long[] weights;
  private final int[] right;
  private final Rounding rounding;
  private final long[] bias;
  private final SumSink sink;

  AffineStep(
      String node,
      String input,
      long[] weights,
      int[] right,
      Rounding rounding,
      long[] bias,
      SumSink sink) {
    this.node = node;
    this.input = input;
    this.weights = weights;
    this.right = right;
    this.rounding = rounding;
    this.bias = bias;
    this.sink = sink;
  }

  private static final int TILE_ROWS = 64;

  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    sink.open(frame, node);
    int rows = frame.rows(node);
    int channels = bias.length;
    long[] sums = frame.workspace().longs(TILE_ROWS * channels);
    for (int first = 0; first < rows; first += TILE_ROWS) {
      int count = Math.min(TILE_ROWS, rows - first);
      for (int i = 0; i < count * channels; i++) {
        int c = i % channels;
        long product = codes[first * channels + i] * weights[c];
        sums[i] = SumKernel.shifted(product, right[c], rounding) + bias[c];
      }
      sink.accept(frame, sums, first, count);
    }
  }
}
