package org.dl4jquant.update;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/**
 * A flat run of real numbers that lives elsewhere: in an array, or in native memory.
 *
 * <p>Different ranges may be read and written by different threads at once.
 */
public interface ValueBuffer {
  /** Returns the number of values. */
  int length();

  /** Returns whether arithmetic on these values rounds to float rather than to double. */
  boolean singlePrecision();

  /** Copies {@code count} values starting at {@code from} to the start of {@code into}. */
  void read(int from, int count, double[] into);

  /** Copies the first {@code count} values of {@code values} here, starting at {@code from}. */
  void write(int from, int count, double[] values);

  /** Returns a view of {@code buffer} from its position to its limit. */
  static ValueBuffer of(FloatBuffer buffer) {
    return new FloatValues(buffer.slice());
  }

  /** Returns a view of {@code buffer} from its position to its limit. */
  static ValueBuffer of(DoubleBuffer buffer) {
    return new DoubleValues(buffer.slice());
  }

  /** Returns a view of the array. */
  static ValueBuffer of(float... values) {
    return of(FloatBuffer.wrap(values));
  }

  /** Returns a view of the array. */
  static ValueBuffer of(double... values) {
    return of(DoubleBuffer.wrap(values));
  }
}
