package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import java.util.function.IntBinaryOperator;

/** Which input index meets which kernel index at which output index, along one axis. */
final class Lookup {
  private final int[][] inputs;
  private final ImmutableList<ImmutableList<Run>> runs;

  /**
   * Output indices from {@code start} on that meet inputs at equal steps.
   *
   * @param input the input index that {@code start} meets, -1 if none meets any
   */
  record Run(int start, int length, int input, int step) {}

  /**
   * @param input gives the input index of an output index and a kernel index, -1 for none
   */
  Lookup(int outputs, int kernel, IntBinaryOperator input) {
    inputs = new int[kernel][outputs];
    ImmutableList.Builder<ImmutableList<Run>> all = ImmutableList.builder();
    for (int k = 0; k < kernel; k++) {
      for (int i = 0; i < outputs; i++) {
        inputs[k][i] = input.applyAsInt(i, k);
      }
      all.add(runs(inputs[k]));
    }
    runs = all.build();
  }

  private static ImmutableList<Run> runs(int[] inputs) {
    ImmutableList.Builder<Run> runs = ImmutableList.builder();
    int start = 0;
    while (start < inputs.length) {
      int length = 1;
      boolean none = inputs[start] < 0;
      int step = none || start + 1 == inputs.length ? 0 : inputs[start + 1] - inputs[start];
      while (start + length < inputs.length
          && inputs[start + length] == (none ? -1 : inputs[start] + length * step)
          && (none || step > 0)) {
        length++;
      }
      runs.add(new Run(start, length, inputs[start], length == 1 ? 1 : step));
      start += length;
    }
    return runs.build();
  }

  /** Returns the input index, -1 where padding or nothing lies. */
  int at(int output, int kernelIndex) {
    return inputs[kernelIndex][output];
  }

  int kernel() {
    return inputs.length;
  }

  /** Returns the runs of all outputs that meet one kernel index, in order. */
  ImmutableList<Run> runs(int kernelIndex) {
    return runs.get(kernelIndex);
  }
}
