package org.dl4jquant.execute;

import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.Tensor;

/** Where exact sums go, row by row: a row holds one sum per channel. */
interface SumSink {
  /** Prepares the frame for the value of {@code node}. */
  void open(Frame frame, String node);

  /** Takes {@code rows} rows of sums, the first of which is row {@code first} of the value. */
  void accept(Frame frame, int[] sums, int first, int rows);

  /** See {@link #accept(Frame, int[], int, int)}. */
  void accept(Frame frame, long[] sums, int first, int rows);

  /** Makes codes of the sums, as the value of {@code target}. */
  record Codes(String target, Requantization requantization) implements SumSink {
    @Override
    public void open(Frame frame, String node) {
      frame.shape(target, frame.shape(node));
      frame.newCodes(target);
    }

    @Override
    public void accept(Frame frame, int[] sums, int first, int rows) {
      int[] codes = frame.codes(target);
      int channels = requantization.channels();
      for (int r = 0; r < rows; r++) {
        requantization.apply(sums, r * channels, codes, (first + r) * channels);
      }
    }

    @Override
    public void accept(Frame frame, long[] sums, int first, int rows) {
      int[] codes = frame.codes(target);
      int channels = requantization.channels();
      for (int r = 0; r < rows; r++) {
        requantization.apply(sums, r * channels, codes, (first + r) * channels);
      }
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
    public void open(Frame frame, String node) {
      Shape shape = frame.shape(target);
      frame.floats(target, Tensor.zeros(shape.withBatch(frame.batch())));
    }

    @Override
    public void accept(Frame frame, int[] sums, int first, int rows) {
      for (int i = 0; i < rows * scales.length; i++) {
        set(frame, first, i, sums[i]);
      }
    }

    @Override
    public void accept(Frame frame, long[] sums, int first, int rows) {
      for (int i = 0; i < rows * scales.length; i++) {
        set(frame, first, i, sums[i]);
      }
    }

    private void set(Frame frame, int first, int index, long sum) {
      int positions = frame.positions(target);
      int row = first + index / scales.length;
      int channel = index % scales.length;
      int example = row / positions;
      int to = (example * scales.length + channel) * positions + row % positions;
      frame.floats(target).values()[to] = (float) (sum * scales[channel]);
    }
  }
}
