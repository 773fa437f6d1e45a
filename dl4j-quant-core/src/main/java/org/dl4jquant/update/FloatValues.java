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

  /** Does the same through an array of floats, which is faster with native memory. */
  void read(int from, int count, double[] into, float[] through) {
    buffer.get(from, through, 0, count);
    for (int i = 0; i < count; i++) {
      into[i] = through[i];
    }
  }

  /** Does what {@link #write(int, int, double[])} does, likewise. */
  void write(int from, int count, double[] values, float[] through) {
    for (int i = 0; i < count; i++) {
      through[i] = (float) values[i];
    }
    buffer.put(from, through, 0, count);
  }

  void read(int from, int count, float[] into) {
    buffer.get(from, into, 0, count);
  }

  void write(int from, int count, float[] values) {
    buffer.put(from, values, 0, count);
  }

  @Override
  public void write(int from, int count, double[] values) {
    for (int i = 0; i < count; i++) {
      buffer.put(from + i, (float) values[i]);
    }
  }
}
