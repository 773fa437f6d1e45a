package org.dl4jquant.update;

import java.nio.FloatBuffer;

/** Floats, in an array or in native memory. */
record FloatValues(FloatBuffer buffer) implements ValueBuffer {
  @Override
  public int length() {
    return buffer.limit();
  }

  @Override
  public boolean singlePrecision() {
    return true;
  }

  @Override
  public void read(int from, int count, double[] into) {
    for (int i = 0; i < count; i++) {
      into[i] = buffer.get(from + i);
    }
  }

  @Override
  public void write(int from, int count, double[] values) {
    for (int i = 0; i < count; i++) {
      buffer.put(from + i, (float) values[i]);
    }
  }
}
