package org.dl4jquant.execute;

import org.dl4jquant.tensor.Tensor;

/** Scales sums to floats, channels first. */
final class FloatReceiver implements SumSink.Receiver {
  private final CodeArrays sums;
  private final double[] scales;
  private final float[] values;

  FloatReceiver(Frame frame, String target, double[] scales) {
    this.sums = frame.scratch(target);
    this.scales = scales;
    Tensor tensor = Tensor.zeros(frame.shape(target).withBatch(frame.batch()));
    values = tensor.values();
    frame.floats(target, tensor);
  }

  @Override
  public int[][] sums() {
    return sums.arrays();
  }

  @Override
  public void ints(int array, int from, int to) {
    int[] own = sums.array(array);
    for (int i = from; i < to; i++) {
      set(array, i, own[i]);
    }
  }

  @Override
  public void longs(int array, long[] own, int from, int to) {
    for (int i = from; i < to; i++) {
      set(array, i, own[i - from]);
    }
  }

  private void set(int array, int index, long sum) {
    if (sums.features()) {
      values[array * scales.length + index] = (float) (sum * scales[index]);
      return;
    }
    int example = index % sums.batch();
    int to = (example * scales.length + array) * sums.positions() + index / sums.batch();
    values[to] = (float) (sum * scales[array]);
  }
}
