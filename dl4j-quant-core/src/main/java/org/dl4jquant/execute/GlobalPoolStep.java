package org.dl4jquant.execute;

import java.util.Arrays;
import org.dl4jquant.graph.GlobalPool;

/** One code per channel: the largest, or what {@code quotient} makes of the sum. */
record GlobalPoolStep(String node, String input, GlobalPool.Reduction reduction, Quotient quotient)
    implements Step {
  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    int[] out = frame.newCodes(node);
    int channels = frame.shape(input).channels();
    int positions = frame.positions(input);
    long[] sums = frame.workspace().longs(channels);
    for (int example = 0; example < frame.batch(); example++) {
      int from = example * positions * channels;
      int to = example * channels;
      if (reduction == GlobalPool.Reduction.MAX) {
        System.arraycopy(codes, from, out, to, channels);
        for (int p = 1; p < positions; p++) {
          MaxPoolStep.max(codes, from + p * channels, out, to, channels);
        }
        continue;
      }
      Arrays.fill(sums, 0, channels, 0);
      for (int i = 0; i < positions * channels; i++) {
        sums[i % channels] += codes[from + i];
      }
      for (int c = 0; c < channels; c++) {
        boolean mean = reduction == GlobalPool.Reduction.AVERAGE;
        out[to + c] = mean ? quotient.code(sums[c], positions, c) : quotient.code(sums[c], c);
      }
    }
  }
}
