package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableLongArray;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Histogram;
import org.dl4jquant.stats.Moments;

/**
 * The shape of the distribution whose format is sought: of what the format carries, mirrored at
 * zero. That has the same squared errors, and so the same best format, as the values themselves: of
 * a signed format those of all magnitudes, of an unsigned one those of the positive values, the
 * other half of which a rectifier took. Zeros, which every format carries, do not count.
 *
 * <p>Moments are about zero, from the histogram, the values of a bin taken as evenly spread.
 *
 * @param count of the values
 * @param deviation the root of their mean square; NaN without any
 * @param meanAbs the mean magnitude in deviations
 * @param kurtosis the fourth moment in deviations
 * @param sixth the sixth moment in deviations
 * @param reach the largest magnitude in deviations
 */
record MirroredShape(
    long count, double deviation, double meanAbs, double kurtosis, double sixth, double reach) {

  static MirroredShape of(ChannelProfile profile, boolean signed) {
    Moments moments = profile.moments();
    Sums sums = new Sums();
    Histogram histogram = profile.histogram();
    ImmutableLongArray counts = histogram.counts();
    int half = counts.length() / 2;
    for (int i = signed ? 0 : half; i < counts.length(); i++) {
      long values = counts.get(i) - (i == half ? moments.zeros() : 0);
      if (values > 0) {
        sums.add(
            values,
            Math.max(moments.min(), histogram.lowerEdge(i)),
            Math.min(moments.max(), histogram.lowerEdge(i + 1)));
      }
    }
    return sums.shape(FormatLimits.reach(profile, signed));
  }

  /** Returns whether all magnitudes are the same, as far as the histogram tells. */
  boolean constant() {
    return reach < 1 + 1.0 / 512;
  }

  /** Sums of powers; intervals do not cross zero. */
  private static final class Sums {
    private long count;
    private double first;
    private double second;
    private double fourth;
    private double sixth;

    void add(long values, double from, double to) {
      double low = Math.min(Math.abs(from), Math.abs(to));
      double high = Math.max(Math.abs(from), Math.abs(to));
      count += values;
      first += values * (low + high) / 2;
      second += values * meanPower(low, high, 2);
      fourth += values * meanPower(low, high, 4);
      sixth += values * meanPower(low, high, 6);
    }

    MirroredShape shape(double largest) {
      double square = second / count;
      double deviation = Math.sqrt(square);
      return new MirroredShape(
          count,
          deviation,
          first / count / deviation,
          fourth / count / square / square,
          sixth / count / square / square / square,
          largest / deviation);
    }

    private static double meanPower(double low, double high, int power) {
      double sum = 0;
      double ofHigh = 1;
      for (int k = 0; k <= power; k++) {
        sum = sum * low + ofHigh;
        ofHigh *= high;
      }
      return sum / (power + 1);
    }
  }
}
