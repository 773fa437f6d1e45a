package org.dl4jquant.execute;

import java.util.Arrays;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Shape;

/** The mean of each window, as an exact quotient rounded once. */
record AveragePoolStep(String node, String input, AveragePool op, Quotient quotient)
    implements Step {
  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    int[] out = frame.newCodes(node);
    Shape in = frame.shape(input);
    Shape shape = frame.shape(node);
    WindowTable table = WindowTable.of(op.window(), in, shape);
    int channels = in.channels();
    int[] sums = frame.workspace().ints("#sums", channels);
    int to = 0;
    for (int example = 0; example < frame.batch(); example++) {
      for (int y = 0; y < shape.height(); y++) {
        for (int x = 0; x < shape.width(); x++, to += channels) {
          int met = window(codes, table, in, example, y, x, sums);
          int count = op.countsPadding() ? op.window().kernel().area() : Math.max(1, met);
          for (int c = 0; c < channels; c++) {
            out[to + c] = quotient.code(sums[c], count, c);
          }
        }
      }
    }
  }

  /** Sums a window, at most 2^15 codes of 16 bits, and returns how many elements it met. */
  private static int window(
      int[] codes, WindowTable table, Shape in, int example, int y, int x, int[] sums) {
    Arrays.fill(sums, 0, in.channels(), 0);
    int met = 0;
    for (int ky = 0; ky < table.kernelHeight(); ky++) {
      int row = table.rows().at(y, ky);
      for (int kx = 0; row >= 0 && kx < table.kernelWidth(); kx++) {
        int column = table.columns().at(x, kx);
        if (column >= 0) {
          int from = ((example * in.height() + row) * in.width() + column) * in.channels();
          add(codes, from, sums, in.channels());
          met++;
        }
      }
    }
    return met;
  }

  private static void add(int[] codes, int from, int[] sums, int channels) {
    for (int c = 0; c < channels; c++) {
      sums[c] += codes[from + c];
    }
  }
}
