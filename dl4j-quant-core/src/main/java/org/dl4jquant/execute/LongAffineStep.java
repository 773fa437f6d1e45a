package org.dl4jquant.execute;

import org.dl4jquant.format.Rounding;

/**
 * A factor and a bias per channel, in 64 bits. A product may be shifted right, with rounding,
 * before the bias is added.
 */
final class LongAffineStep implements Step {
  private final String node;
  private final String input;
  private final long[] factors;
  private final int[] right;
  private final Rounding rounding;
  private final long[] bias;
  private final SumSink sink;

  LongAffineStep(
      String node,
      String input,
      long[] factors,
      int[] right,
      Rounding rounding,
      long[] bias,
      SumSink sink) {
    this.node = node;
    this.input = input;
    this.factors = factors;
    this.right = right;
    this.rounding = rounding;
    this.bias = bias;
    this.sink = sink;
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    SumSink.Receiver receiver = sink.open(frame, node);
    long[] sums = new long[in.length()];
    for (int a = 0; a < in.count(); a++) {
      int[] codes = in.array(a);
      for (int i = 0; i < sums.length; i++) {
        int c = in.features() ? i : a;
        long product = codes[i] * factors[c];
        sums[i] = ConvolutionKernel.shifted(product, right[c], rounding) + bias[c];
      }
      receiver.longs(a, sums, 0, sums.length);
    }
  }
}
