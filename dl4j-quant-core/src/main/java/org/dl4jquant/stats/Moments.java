package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableDoubleArray;
import org.dl4jquant.internal.Checks;

/**
 * What a {@link MomentsAccumulator} has seen. Without any value ({@code count} 0) the mean, the
 * extremes and every moment are NaN.
 *
 * @param count of the values, those that were skipped as not finite excluded
 * @param zeros how many of them are 0.0 or -0.0
 * @param positives how many of them are greater than 0
 * @param nonFinite how many were skipped: NaN, infinite, or beyond the range of {@code float}
 * @param centralMoments {@code E (x - mean)^p} for p from 2 to 6, in this order; dividing by {@code
 *     count}, not by {@code count - 1}
 * @param meanAbs {@code E|x|}
 * @param positiveMeanSquare the mean of {@code x^2} over {@code x > 0}, NaN if there is none
 */
public record Moments(
    long count,
    long zeros,
    long positives,
    long nonFinite,
    double min,
    double max,
    double mean,
    ImmutableDoubleArray centralMoments,
    double meanAbs,
    double positiveMeanSquare) {
  public Moments {
    Checks.that(count >= 0, "count", "not be negative", count);
    Checks.that(zeros >= 0, "zeros", "not be negative", zeros);
    Checks.that(positives >= 0, "positives", "not be negative", positives);
    Checks.that(
        zeros + positives <= count,
        "zeros and positives",
        "sum to at most the count " + count,
        zeros + positives);
    Checks.that(nonFinite >= 0, "nonFinite", "not be negative", nonFinite);
    Checks.that(count == 0 || min <= max, "min", "be at most max, " + max, min);
    Checks.that(
        centralMoments.length() == CentralSums.ORDER - 1,
        "centralMoments",
        "number " + (CentralSums.ORDER - 1),
        centralMoments.length());
  }

  /** Returns the moments of the same values times {@code 2^exponent}. */
  Moments scaled(int exponent) {
    ImmutableDoubleArray.Builder central = ImmutableDoubleArray.builder();
    for (int order = 2; order <= CentralSums.ORDER; order++) {
      central.add(Math.scalb(centralMoment(order), order * exponent));
    }
    return new Moments(
        count,
        zeros,
        positives,
        nonFinite,
        Math.scalb(min, exponent),
        Math.scalb(max, exponent),
        Math.scalb(mean, exponent),
        central.build(),
        Math.scalb(meanAbs, exponent),
        Math.scalb(positiveMeanSquare, 2 * exponent));
  }

  /**
   * Returns {@code E (x - mean)^order}.
   *
   * @param order from 2 to 6
   */
  public double centralMoment(int order) {
    return centralMoments.get(Checks.inRange("order", order, 2, CentralSums.ORDER) - 2);
  }

  /** Returns the population variance. */
  public double variance() {
    return centralMoment(2);
  }

  /** Returns the population standard deviation. */
  public double standardDeviation() {
    return Math.sqrt(variance());
  }

  /** Returns {@code E x^2}, about zero, not about the mean. */
  public double meanSquare() {
    return variance() + mean * mean;
  }

  /** Returns the largest magnitude. */
  public double maxAbs() {
    return Math.max(Math.abs(min), Math.abs(max));
  }

  /**
   * Returns the central moment divided by the standard deviation to the same order; NaN where all
   * values are equal.
   *
   * @param order from 2 to 6: 3 is the skewness, 4 the kurtosis (3 for a normal distribution), 5
   *     and 6 are also called hyper-skewness and hyper-kurtosis
   */
  public double standardized(int order) {
    double moment = centralMoment(order);
    return variance() == 0 ? Double.NaN : moment / Math.pow(standardDeviation(), order);
  }

  /** Returns the standardized third moment. */
  public double skewness() {
    return standardized(3);
  }

  /** Returns the standardized fourth moment, 3 for a normal distribution. */
  public double kurtosis() {
    return standardized(4);
  }
}
