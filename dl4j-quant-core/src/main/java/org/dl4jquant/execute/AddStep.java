package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;

/**
 * Adds inputs after shifting each channel onto the finest grid among them. Shifts are to the left,
 * per input and channel.
 */
final class AddStep implements Step {
  private final String node;
  private final ImmutableList<String> inputs;
  private final int[][] shifts;
  private final boolean ints;
  private final SumSink sink;

  AddStep(String node, ImmutableList<String> inputs, int[][] shifts, boolean ints, SumSink sink) {
    this.node = node;
    this.inputs = inputs;
    this.shifts = shifts;
    this.ints = ints;
    this.sink = sink;
  }

  @Override
  public void run(Frame frame) {
    SumSink.Receiver receiver = sink.open(frame, node);
    CodeArrays first = frame.codes(inputs.get(0));
    int length = first.length();
    for (int a = 0; a < first.count(); a++) {
      if (ints) {
        addInts(frame, a, receiver.sums()[a], first);
        receiver.ints(a, 0, length);
      } else {
        receiver.longs(a, longs(frame, a, first), 0, length);
      }
    }
  }

  private void addInts(Frame frame, int array, int[] sums, CodeArrays form) {
    int length = form.length();
    Arrays.fill(sums, 0, length, 0);
    for (int i = 0; i < shifts.length; i++) {
      int[] codes = frame.codes(inputs.get(i)).array(array);
      if (form.features()) {
        VectorLoops.addShifted(codes, sums, 0, length, shifts[i]);
      } else {
        VectorLoops.addShifted(codes, sums, 0, length, shifts[i][array]);
      }
    }
  }

  private long[] longs(Frame frame, int array, CodeArrays form) {
    long[] sums = new long[form.length()];
    for (int i = 0; i < shifts.length; i++) {
      int[] codes = frame.codes(inputs.get(i)).array(array);
      for (int j = 0; j < sums.length; j++) {
        sums[j] += (long) codes[j] << shifts[i][form.features() ? j : array];
      }
    }
    return sums;
  }
}
