package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableLongArray;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Histogram;
import org.dl4jquant.stats.Moments;

/**
 * The squared error of a format for the values of a profile, summed over them: in closed form under
 * the assumption that the values of a bin are evenly spread over it, or over the part of it that
 * lies between the smallest and the largest value. Zeros, which every format carries, err by
 * nothing.
 */
final class ExpectedError {
  private static final double EXCESS = 0.3;
  private static final double NARROW = 1e-6; // in steps; below it a bin is a point

  private final Histogram histogram;
  private final Moments moments;

  private final boolean one;

  private ExpectedError(Histogram histogram, Moments moments, boolean one) {
    this.histogram = histogram;
    this.moments = moments;
    this.one = one;
  }

  static ExpectedError of(ChannelProfile profile) {
    return new ExpectedError(profile.histogram(), profile.moments(), false);
  }

  /**
   * Returns the error with that of one value more, which lies beyond the largest: of as many values
   * again, one is expected to. By how much is taken to be exponentially distributed, with a mean of
   * {@value #EXCESS} deviations. A channel that was seen often does not notice; one of which a few
   * examples showed little is not clipped to that.
   */
  ExpectedError andOneBeyond() {
    return new ExpectedError(histogram, moments, true);
  }

  double of(UniformFormat format) {
    return one ? ofSeen(format) + beyond(format) : ofSeen(format);
  }

  private double beyond(UniformFormat format) {
    boolean signed = format.signed();
    double square = signed ? moments.meanSquare() : moments.positiveMeanSquare();
    double excess = EXCESS * Math.sqrt(square);
    double largest = signed ? moments.maxAbs() : moments.max();
    double clipped = largest - (format.maxCode() - format.zeroPoint()) * format.step();
    return clipped <= 0
        ? 2 * excess * excess * Math.exp(clipped / excess)
        : clipped * clipped + 2 * clipped * excess + 2 * excess * excess;
  }

  private double ofSeen(UniformFormat format) {
    double step = format.step();
    ImmutableLongArray counts = histogram.counts();
    double sum = 0;
    for (int i = 0; i < counts.length(); i++) {
      long count = i == counts.length() / 2 ? counts.get(i) - moments.zeros() : counts.get(i);
      if (count > 0) {
        double from = Math.max(moments.min(), histogram.lowerEdge(i));
        double to = Math.min(moments.max(), histogram.lowerEdge(i + 1));
        sum += count * meanOver(from / step, to / step, format);
      }
    }
    return sum * step * step;
  }

  /** The mean squared error over an interval; all in steps. */
  private static double meanOver(double from, double to, UniformFormat format) {
    double min = format.minCode() - format.zeroPoint();
    double max = format.maxCode() - format.zeroPoint();
    if (to - from < NARROW) {
      double middle = (from + to) / 2;
      double error = middle - Math.max(min, Math.min(max, Math.rint(middle)));
      return error * error;
    }
    double low = Math.max(from, Math.min(to, min));
    double high = Math.max(low, Math.min(to, max));
    double below = (cube(low - min) - cube(from - min)) / 3;
    double above = (cube(to - max) - cube(high - max)) / 3;
    return (below + rounded(high) - rounded(low) + above) / (to - from);
  }

  /** The integral of {@code (x - rint(x))^2} from 0 to a value. */
  private static double rounded(double value) {
    double code = Math.floor(value + 0.5);
    return code / 12 + cube(value - code) / 3;
  }

  private static double cube(double value) {
    return value * value * value;
  }
}
