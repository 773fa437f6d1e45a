package org.dl4jquant.stats;

import org.dl4jquant.internal.Checks;

/**
 * What one channel, or several together, carried: moments and histogram of the same values.
 *
 * @param moments of the values
 * @param histogram of the values
 */
public record ChannelProfile(Moments moments, Histogram histogram) {
  public ChannelProfile {
    Checks.that(
        histogram.count() == moments.count(),
        "histogram",
        "count as many values as the moments, " + moments.count(),
        histogram.count());
  }

  /**
   * Returns the profile of the same values times {@code 2^exponent}.
   *
   * @throws IllegalArgumentException if the histogram's bins would leave the range of {@code float}
   */
  public ChannelProfile scaled(int exponent) {
    return new ChannelProfile(moments.scaled(exponent), histogram.scaled(exponent));
  }

  /** Returns the number of values, those that were skipped as not finite excluded. */
  public long count() {
    return moments.count();
  }
}
