package org.dl4jquant.execute;

/** Where the exact sums of a node go. */
interface SumSink {
  /** Prepares the frame for the value of {@code node}. */
  Receiver open(Frame frame, String node);

  /**
   * Takes sums in the arrangement of {@link CodeArrays}, range by range. Ranges that do not overlap
   * may come from different threads.
   */
  interface Receiver {
    /** Returns the arrays in which 32-bit sums are to be built; their content is undefined. */
    int[][] sums();

    /** Takes the sums that lie in {@code sums()[array]}, and may overwrite them. */
    void ints(int array, int from, int to);

    /** Takes 64-bit sums; {@code sums[0]} belongs to index {@code from}. */
    void longs(int array, long[] sums, int from, int to);
  }

  /** Makes codes of the sums, as the value of {@code target}; the sums are built in their place. */
  record Codes(String target, Requantization requantization) implements SumSink {
    @Override
    public Receiver open(Frame frame, String node) {
      frame.shape(target, frame.shape(node));
      return new CodeReceiver(frame.newCodes(target), requantization);
    }
  }

  /** Makes floats of the sums: each is a product of one sum and its scale, rounded once. */
  final class Floats implements SumSink {
    private final String target;
    private final double[] scales;

    Floats(String target, double[] scales) {
      this.target = target;
      this.scales = scales.clone();
    }

    @Override
    public Receiver open(Frame frame, String node) {
      return new FloatReceiver(frame, target, scales);
    }
  }
}
