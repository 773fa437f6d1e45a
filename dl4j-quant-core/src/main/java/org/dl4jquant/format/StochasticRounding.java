package org.dl4jquant.format;

import java.util.SplittableRandom;
import org.dl4jquant.internal.Checks;

/**
 * Rounds up with a probability equal to the fractional part. Not thread-safe: it has a stream.
 *
 * <p>Both methods take one number of the stream per call, whatever the value, and compare the
 * fraction with its highest bits, so that the same seed gives the same codes on either path.
 */
final class StochasticRounding implements Rounding {
  private final SplittableRandom random;

  StochasticRounding(long seed) {
    random = new SplittableRandom(seed);
  }

  @Override
  public double round(double value) {
    double drawn = (random.nextLong() >>> 11) * 0x1p-53;
    double floor = Math.floor(value);
    return value - floor > drawn ? floor + 1 : floor;
  }

  @Override
  public long shiftRight(long value, int bits) {
    Checks.inRange("bits", bits, -63, 63);
    long drawn = random.nextLong();
    if (bits <= 0) {
      return DirectedRounding.shiftLeftExact(value, -bits);
    }
    long remainder = value & ((1L << bits) - 1);
    return (value >> bits) + (remainder > drawn >>> (64 - bits) ? 1 : 0);
  }
}
