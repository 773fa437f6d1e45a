package org.dl4jquant.execute;

import org.dl4jquant.graph.GlobalPool;

/** One code per channel: the largest, or what {@code quotient} makes of the sum. */
record GlobalPoolStep(String node, String input, GlobalPool.Reduction reduction, Quotient quotient)
    implements Step {
  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    CodeArrays out = frame.newCodes(node);
    for (int c = 0; c < in.count(); c++) {
      int[] plane = in.array(c);
      for (int e = 0; e < in.batch(); e++) {
        out.array(e)[c] = code(plane, e, in, c);
      }
    }
  }

  private int code(int[] plane, int example, CodeArrays in, int channel) {
    int length = in.length();
    if (reduction == GlobalPool.Reduction.MAX) {
      int largest = plane[example];
      for (int i = example; i < length; i += in.batch()) {
        largest = Math.max(largest, plane[i]);
      }
      return largest;
    }
    long sum = 0;
    for (int i = example; i < length; i += in.batch()) {
      sum += plane[i];
    }
    boolean mean = reduction == GlobalPool.Reduction.AVERAGE;
    return mean ? quotient.code(sum, in.positions(), channel) : quotient.code(sum, channel);
  }
}
