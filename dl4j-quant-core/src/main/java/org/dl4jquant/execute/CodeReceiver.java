package org.dl4jquant.execute;

/** Requantizes sums in place. */
record CodeReceiver(CodeArrays codes, Requantization requantization) implements SumSink.Receiver {
  @Override
  public int[][] sums() {
    return codes.arrays();
  }

  @Override
  public void ints(int array, int from, int to) {
    int[] values = codes.array(array);
    if (codes.features()) {
      requantization.features(values, values, from, to);
    } else {
      requantization.channel(array, values, values, from, to);
    }
  }

  @Override
  public void longs(int array, long[] sums, int from, int to) {
    if (codes.features()) {
      requantization.features(sums, codes.array(array), from, to);
    } else {
      requantization.channel(array, sums, codes.array(array), from, to);
    }
  }
}
