package org.dl4jquant.format;

import java.util.SplittableRandom;
import org.dl4jquant.internal.Checks;

/** Rounds up with a probability equal to the fractional part. Not thread-safe: it has a stream. */
final class StochasticRounding implements Rounding {
  private final SplittableRandom random;

  StochasticRounding(long seed) {
    random = new SplittableRandom(seed);
  }

  @Override
  public double round(double value) {
    double floor = Math.floor(value);
    return value - floor > random.nextDouble() ? floor + 1 : floor;
  }

  @Override
  public long shiftRight(long value, int bits) {
    Checks.inRange("bits", bits, -63, 63);
    if (bits <= 0) {
      return DirectedRounding.shiftLeftExact(value, -bits);
    }
    long remainder = value & ((1L << bits) - 1);
    long drawn = random.nextLong() >>> (64 - bits);
    return (value >> bits) + (remainder > drawn ? 1 : 0);
  }
}
