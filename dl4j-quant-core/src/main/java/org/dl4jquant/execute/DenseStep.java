package org.dl4jquant.execute;

/** A dense layer with 32-bit sums: per example a sum of weight rows, each times one code. */
final class DenseStep implements Step {
  private static final int TILE_OUTPUTS = 2048;
  private static final int MIN_BLOCK = 64;

  private final String node;
  private final String input;
  private final int[][] weights;
  private final int[] bias;
  private final SumSink sink;

  /**
   * @param weights per input feature those of all outputs, shifted onto the grid of the sums
   */
  DenseStep(String node, String input, int[][] weights, int[] bias, SumSink sink) {
    this.node = node;
    this.input = input;
    this.weights = weights;
    this.bias = bias;
    this.sink = sink;
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    SumSink.Receiver receiver = sink.open(frame, node);
    int outputs = bias.length;
    long work = (long) frame.batch() * outputs * weights.length;
    int split = Math.min(frame.tasks(work), Math.max(1, outputs / MIN_BLOCK));
    int blocks = Math.max(split, (outputs + TILE_OUTPUTS - 1) / TILE_OUTPUTS);
    frame.forEach(
        blocks,
        work,
        block -> {
          int from = (int) ((long) outputs * block / blocks);
          int to = (int) ((long) outputs * (block + 1) / blocks);
          run(in, from, to, receiver);
        });
  }

  private void run(CodeArrays in, int from, int to, SumSink.Receiver receiver) {
    int[][] sums = receiver.sums();
    for (int e = 0; e < in.batch(); e++) {
      System.arraycopy(bias, from, sums[e], from, to - from);
    }
    new IntProducts((k, slot) -> weights[k], weights.length, in.arrays(), sums)
        .add(0, in.batch(), from, to);
    for (int e = 0; e < in.batch(); e++) {
      receiver.ints(e, from, to);
    }
  }
}
