package org.dl4jquant.convert;

import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.format.FixedPointFormat;

/**
 * What the biases of an integer sum may be: numbers of {@code bits} significant bits on the grid of
 * the sum's products. Immutable and thread-safe.
 *
 * @param bits the sign included
 * @param fractionalLengths of the grid, one per output channel
 */
public record BiasGrid(int bits, ImmutableIntArray fractionalLengths) {
  /** Returns the number that the integers have in place of {@code bias}. */
  public double round(int channel, double bias) {
    int length = fractionalLengths.get(channel);
    return Math.scalb(Math.rint(Math.scalb(significant(bias, bits), length)), -length);
  }

  /** Returns {@code bias} with as many significant bits as it may have. */
  static double significant(double bias, int bits) {
    return bias == 0 ? 0 : FixedPointFormat.covering(Math.abs(bias), bits).fakeQuantize(bias);
  }
}
