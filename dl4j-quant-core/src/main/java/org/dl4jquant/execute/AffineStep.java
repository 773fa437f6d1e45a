package org.dl4jquant.execute;

/** A factor and a bias per channel, in 32 bits. */
final class AffineStep implements Step {
  private final String node;
  private final String input;
  private final int[] factors;
  private final int[] bias;
  private final SumSink sink;

  AffineStep(String node, String input, int[] factors, int[] bias, SumSink sink) {
    this.node = node;
    this.input = input;
    this.factors = factors;
    this.bias = bias;
    this.sink = sink;
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    SumSink.Receiver receiver = sink.open(frame, node);
    for (int a = 0; a < in.count(); a++) {
      int[] codes = in.array(a);
      int[] sums = receiver.sums()[a];
      if (in.features()) {
        for (int c = 0; c < bias.length; c++) {
          sums[c] = codes[c] * factors[c] + bias[c];
        }
      } else {
        VectorLoops.scale(codes, sums, 0, in.length(), factors[a], bias[a]);
      }
      receiver.ints(a, 0, in.length());
    }
  }
}
