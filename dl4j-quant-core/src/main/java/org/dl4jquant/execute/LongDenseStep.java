package org.dl4jquant.execute;

import org.dl4jquant.format.Rounding;

/**
 * A dense layer with 64-bit sums. A product may be shifted right, with rounding, before it is
 * added.
 */
final class LongDenseStep implements Step {
  private final String node;
  private final String input;
  private final long[][] weights;
  private final long[] bias;
  private final int[][] right;
  private final Rounding rounding;
  private final SumSink sink;

  /**
   * @param weights per output those of all input features
   * @param right the shift to the right of each product, likewise
   */
  LongDenseStep(
      String node,
      String input,
      long[][] weights,
      long[] bias,
      int[][] right,
      Rounding rounding,
      SumSink sink) {
    this.node = node;
    this.input = input;
    this.weights = weights;
    this.bias = bias;
    this.right = right;
    this.rounding = rounding;
    this.sink = sink;
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    SumSink.Receiver receiver = sink.open(frame, node);
    long[] sums = new long[bias.length];
    for (int e = 0; e < frame.batch(); e++) {
      for (int j = 0; j < sums.length; j++) {
        sums[j] = bias[j] + sum(in.array(e), j);
      }
      receiver.longs(e, sums, 0, sums.length);
    }
  }

  private long sum(int[] codes, int j) {
    long[] own = weights[j];
    int[] shifts = right[j];
    long sum = 0;
    for (int k = 0; k < own.length; k++) {
      long product = codes[k] * own[k];
      sum += shifts[k] == 0 ? product : ConvolutionKernel.shifted(product, shifts[k], rounding);
    }
    return sum;
  }
}
