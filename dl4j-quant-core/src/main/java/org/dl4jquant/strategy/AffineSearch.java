package org.dl4jquant.strategy;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Moments;

/**
 * Finds the range whose affine format has the least expected squared error: first both ends of what
 * was seen are drawn in, each by all of a few steps, then they are moved by ever smaller steps, as
 * long as one gains.
 */
final class AffineSearch {
  private static final double COARSEST = 1.0 / 4; // octaves
  private static final int OCTAVES = 4;
  private static final double FINEST = 1.0 / 64; // octaves
  private static final double MOST = 1.25; // of an end that was seen

  private final ExpectedError error;
  private final int bitWidth;
  private final boolean signed;
  private final double lowest;
  private final double highest;
  private AffineParameters best;
  private double least;
  private double low;
  private double high;

  private AffineSearch(ChannelProfile profile, int bitWidth, boolean signed) {
    this.error = ExpectedError.of(profile);
    this.bitWidth = bitWidth;
    this.signed = signed;
    Moments seen = profile.moments();
    this.lowest = low = Math.min(0, seen.min());
    this.highest = high = Math.max(0, seen.max());
    this.best = AffineParameters.covering(low, high, bitWidth, signed);
    this.least = error.of(best);
  }

  static AffineParameters leastError(ChannelProfile profile, int bitWidth, boolean signed) {
    if (profile.count() == 0) {
      return AffineParameters.covering(0, 0, bitWidth, signed);
    }
    return new AffineSearch(profile, bitWidth, signed).search();
  }

  private AffineParameters search() {
    int steps = (int) (OCTAVES / COARSEST);
    for (int i = 0; i <= (lowest < 0 ? steps : 0); i++) {
      for (int j = 0; j <= (highest > 0 ? steps : 0); j++) {
        tries(lowest * Math.pow(2, -i * COARSEST), highest * Math.pow(2, -j * COARSEST));
      }
    }
    for (double octaves = COARSEST / 2; octaves >= FINEST; octaves /= 2) {
      double factor = Math.pow(2, octaves);
      boolean gains = true;
      while (gains) {
        gains =
            tries(low, high * factor)
                || tries(low, high / factor)
                || tries(low * factor, high)
                || tries(low / factor, high)
                || tries(low * factor, high * factor);
      }
    }
    return best;
  }

  /** Takes a range if it is better; returns whether it is. */
  private boolean tries(double from, double to) {
    if (from < MOST * lowest || to > MOST * highest) {
      return false;
    }
    AffineParameters format = AffineParameters.covering(from, to, bitWidth, signed);
    double squares = error.of(format);
    if (squares < least) {
      least = squares;
      best = format;
      low = from;
      high = to;
      return true;
    }
    return false;
  }
}
