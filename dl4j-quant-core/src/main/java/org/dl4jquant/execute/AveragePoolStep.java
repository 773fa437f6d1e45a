package org.dl4jquant.execute;

import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Shape;

/** The mean of each window of at most 2^15 codes, as an exact quotient rounded once. */
final class AveragePoolStep implements Step {
  private final String node;
  private final String input;
  private final AveragePool op;
  private final Quotient quotient;
  private final LastUse<WindowTable> tables;

  AveragePoolStep(String node, String input, AveragePool op, Quotient quotient) {
    this.node = node;
    this.input = input;
    this.op = op;
    this.quotient = quotient;
    this.tables = new LastUse<>((in, out) -> WindowTable.of(op.window(), in, out));
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    CodeArrays out = frame.newCodes(node);
    Shape shape = out.shape();
    WindowTable table = tables.get(in.shape(), shape);
    int[][] buffers = frame.workspace().arrays("#line", 2, in.shape().width() * in.batch());
    PoolLine line = new PoolLine(in, table, false, buffers);
    for (int c = 0; c < shape.channels(); c++) {
      for (int y = 0; y < shape.height(); y++) {
        line.join(in.array(c), y);
        row(line, c, y, out);
      }
    }
  }

  private void row(PoolLine line, int c, int y, CodeArrays out) {
    int[] codes = out.array(c);
    int width = out.shape().width();
    for (int x = 0; x < width; x++) {
      int met = line.rows() * line.columns(x);
      int count = op.countsPadding() ? op.window().kernel().area() : Math.max(1, met);
      int to = (y * width + x) * out.batch();
      for (int e = 0; e < out.batch(); e++) {
        codes[to + e] = quotient.code(line.sum(x, e), count, c);
      }
    }
  }
}
