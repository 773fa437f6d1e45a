package org.dl4jquant.execute;

import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.Shape;

/** The largest code of each window. */
final class MaxPoolStep implements Step {
  private final String node;
  private final String input;
  private final LastUse<WindowTable> tables;

  MaxPoolStep(String node, String input, MaxPool op) {
    this.node = node;
    this.input = input;
    this.tables = new LastUse<>((in, out) -> WindowTable.of(op.window(), in, out));
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    CodeArrays out = frame.newCodes(node);
    Shape shape = out.shape();
    WindowTable table = tables.get(in.shape(), shape);
    int[][] buffers = frame.workspace().arrays("#line", 2, in.shape().width() * in.batch());
    PoolLine line = new PoolLine(in, table, true, buffers);
    for (int c = 0; c < shape.channels(); c++) {
      int[] codes = out.array(c);
      int to = 0;
      for (int y = 0; y < shape.height(); y++) {
        line.join(in.array(c), y);
        for (int x = 0; x < shape.width(); x++) {
          for (int e = 0; e < in.batch(); e++) {
            codes[to++] = line.max(x, e);
          }
        }
      }
    }
  }
}
