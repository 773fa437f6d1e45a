package org.dl4jquant.update;

import java.nio.DoubleBuffer;

/** Doubles, in an array or in native memory. */
record DoubleValues(DoubleBuffer buffer) implements ValueBuffer {
  @Override
  public int length() {
    return buffer.limit();
  }

  @Override
  public boolean singlePrecision() {
    return false;
  }

  @Override
  public void read(int from, int count, double[] into) {
    buffer.get(from, into, 0, count);
  }

  @Override
  public void write(int from, int count, double[] values) {
    buffer.put(from, values, 0, count);
  }
}
