package org.dl4jquant.stats;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * The profile of a channel from one histogram, for values in large numbers: counts and extremes are
 * exact, the moments follow from the histogram under the assumption that the values of a bin are
 * evenly spread over it (over the part of it between the smallest and the largest value), zeros
 * taken as they are.
 *
 * <p>Therefore the result depends neither on the order of the values nor on how they were split:
 * combining is exact, bit for bit. The mean errs by at most half a bin width, the variance by about
 * a twelfth of its square. NaN, infinite values and magnitudes of 2^128 and more are counted apart
 * and otherwise ignored. Not thread-safe.
 */
public final class BinnedProfileAccumulator
    implements Accumulator<BinnedProfileAccumulator, ChannelProfile> {
  private final HistogramAccumulator histogram;
  private final HistogramAccumulator.Extremes extremes;

  private BinnedProfileAccumulator(
      HistogramAccumulator histogram, HistogramAccumulator.Extremes extremes) {
    this.histogram = histogram;
    this.extremes = extremes;
  }

  /**
   * Returns an accumulator that has seen nothing.
   *
   * @param bins of the histogram, a power of two from 4 to 65536
   */
  public static BinnedProfileAccumulator create(int bins) {
    return new BinnedProfileAccumulator(
        HistogramAccumulator.create(bins), new HistogramAccumulator.Extremes());
  }

  /** Returns an accumulator that has seen what {@code profile}, made by another one, tells. */
  public static BinnedProfileAccumulator of(ChannelProfile profile) {
    return new BinnedProfileAccumulator(
        HistogramAccumulator.of(profile.histogram()),
        HistogramAccumulator.Extremes.of(profile.moments()));
  }

  @Override
  public void accept(double value) {
    histogram.accept(value);
    if (FloatRange.holds(value)) {
      extremes.accept(value);
    }
  }

  /**
   * Adds the elements {@code from}, {@code from + stride} and so on below {@code to}.
   *
   * @throws IllegalArgumentException if the range is not within the array, or the stride not
   *     positive
   */
  public void acceptAll(float[] values, int from, int to, int stride) {
    histogram.acceptAll(values, from, to, stride, extremes);
  }

  /**
   * Adds everything that {@code other} has seen and returns this.
   *
   * @throws IllegalArgumentException if the other has another number of bins
   */
  @Override
  @CanIgnoreReturnValue
  public BinnedProfileAccumulator combine(BinnedProfileAccumulator other) {
    histogram.combine(other.histogram);
    extremes.combine(other.extremes);
    return this;
  }

  @Override
  public ChannelProfile snapshot() {
    Histogram counts = histogram.snapshot();
    return new ChannelProfile(
        BinnedMoments.of(counts, extremes.zeros(), extremes.min() + 0.0, extremes.max() + 0.0),
        counts);
  }
}
