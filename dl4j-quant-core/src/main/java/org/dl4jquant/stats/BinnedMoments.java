package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableDoubleArray;

/** Moments of values of which the histogram, the zeros and the extremes are known. */
final class BinnedMoments {
  private final Histogram histogram;
  private final long zeros;
  private final double min;
  private final double max;

  private BinnedMoments(Histogram histogram, long zeros, double min, double max) {
    this.histogram = histogram;
    this.zeros = zeros;
    this.min = min;
    this.max = max;
  }

  static Moments of(Histogram histogram, long zeros, double min, double max) {
    return new BinnedMoments(histogram, zeros, min, max).moments(histogram.count());
  }

  private Moments moments(long count) {
    int half = histogram.counts().length() / 2;
    long positives = histogram.counts().subArray(half, 2 * half).stream().sum() - zeros;
    boolean empty = count == 0;
    double mean = empty ? Double.NaN : sum(1, 0, 0) / count;
    double[] central = new double[CentralSums.ORDER - 1];
    for (int p = 2; p <= CentralSums.ORDER; p++) {
      central[p - 2] = (sum(p, mean, 0) + zeros * power(-mean, p)) / count;
    }
    double negatives = empty ? 0 : sum(1, 0, 0) - sum(1, 0, half);
    return new Moments(
        count,
        zeros,
        positives,
        histogram.nonFinite(),
        empty ? Double.NaN : min,
        empty ? Double.NaN : max,
        mean,
        ImmutableDoubleArray.copyOf(central),
        (sum(1, 0, half) - negatives) / count,
        sum(2, 0, half) / positives);
  }

  /** Sums {@code (x - center)^p} over the values of the bins from {@code first}, zeros left out. */
  private double sum(int p, double center, int first) {
    int half = histogram.counts().length() / 2;
    double sum = 0;
    for (int i = first; i < 2 * half; i++) {
      long values = histogram.counts().get(i) - (i == half ? zeros : 0);
      if (values > 0) {
        double from = Math.max(min, histogram.lowerEdge(i)) - center;
        double to = Math.min(max, histogram.lowerEdge(i + 1)) - center;
        sum += values * meanPower(from, to, p);
      }
    }
    return sum;
  }

  /** The mean of {@code x^p} over an interval: {@code (a^p + a^(p-1) b + ... + b^p) / (p + 1)}. */
  private static double meanPower(double from, double to, int p) {
    double sum = 0;
    double ofTo = 1;
    for (int k = 0; k <= p; k++) {
      sum = sum * from + ofTo;
      ofTo *= to;
    }
    return sum / (p + 1);
  }

  private static double power(double base, int exponent) {
    double power = 1;
    for (int i = 0; i < exponent; i++) {
      power *= base;
    }
    return power;
  }
}
