package org.dl4jquant.execute;

import java.util.Arrays;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.Shape;

/** The largest code of each window; all channels of a position at once. */
record MaxPoolStep(String node, String input, MaxPool op) implements Step {
  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    int[] out = frame.newCodes(node);
    Shape in = frame.shape(input);
    Shape shape = frame.shape(node);
    WindowTable table = WindowTable.of(op.window(), in, shape);
    int to = 0;
    for (int example = 0; example < frame.batch(); example++) {
      for (int y = 0; y < shape.height(); y++) {
        for (int x = 0; x < shape.width(); x++, to += in.channels()) {
          window(codes, table, in, example, y, x, out, to);
        }
      }
    }
  }

  private static void window(
      int[] codes, WindowTable table, Shape in, int example, int y, int x, int[] out, int to) {
    boolean empty = true;
    for (int ky = 0; ky < table.kernelHeight(); ky++) {
      int row = table.rows().at(y, ky);
      for (int kx = 0; row >= 0 && kx < table.kernelWidth(); kx++) {
        int column = table.columns().at(x, kx);
        if (column >= 0) {
          int from = ((example * in.height() + row) * in.width() + column) * in.channels();
          if (empty) {
            System.arraycopy(codes, from, out, to, in.channels());
          } else {
            max(codes, from, out, to, in.channels());
          }
          empty = false;
        }
      }
    }
    if (empty) {
      Arrays.fill(out, to, to + in.channels(), 0);
    }
  }

  static void max(int[] codes, int from, int[] out, int to, int channels) {
    for (int c = 0; c < channels; c++) {
      out[to + c] = Math.max(out[to + c], codes[from + c]);
    }
  }
}
