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
  private long zeros;
  private double min = Double.POSITIVE_INFINITY;
  private double max = Double.NEGATIVE_INFINITY;

  private BinnedProfileAccumulator(HistogramAccumulator histogram) {
    this.histogram = histogram;
  }

  /**
   * Returns an accumulator that has seen nothing.
   *
   * @param bins of the histogram, a power of two from 4 to 65536
   */
  public static BinnedProfileAccumulator create(int bins) {
    return new BinnedProfileAccumulator(HistogramAccumulator.create(bins));
  }

  /** Returns an accumulator that has seen what {@code profile}, made by another one, tells. */
  public static BinnedProfileAccumulator of(ChannelProfile profile) {
    Moments moments = profile.moments();
    BinnedProfileAccumulator accumulator =
        new BinnedProfileAccumulator(HistogramAccumulator.of(profile.histogram()));
    accumulator.zeros = moments.zeros();
    if (moments.count() > 0) {
      accumulator.min = moments.min();
      accumulator.max = moments.max();
    }
    return accumulator;
  }

  @Override
  public void accept(double value) {
    histogram.accept(value);
    if (FloatRange.holds(value)) {
      zeros += value == 0 ? 1 : 0;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }

  /**
   * Adds the elements {@code from}, {@code from + stride} and so on below {@code to}.
   *
   * @throws IllegalArgumentException if the range is not within the array, or the stride not
   *     positive
   */
  public void acceptAll(float[] values, int from, int to, int stride) {
    histogram.acceptAll(values, from, to, stride);
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    int nonZero = 0;
    int finite = 0;
    for (int i = from; i < to; i = FloatRange.next(i, stride, to)) {
      float value = values[i];
      if (Math.abs(value) <= Float.MAX_VALUE) {
        int bits = Float.floatToRawIntBits(value) << 1;
        nonZero += (bits | -bits) >>> 31; // without a branch, which no ReLU output lets predict
        finite++;
        low = value < low ? value : low;
        high = value > high ? value : high;
      }
    }
    zeros += finite - nonZero;
    min = Math.min(min, low);
    max = Math.max(max, high);
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
    zeros += other.zeros;
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
    return this;
  }

  @Override
  public ChannelProfile snapshot() {
    Histogram counts = histogram.snapshot();
    return new ChannelProfile(BinnedMoments.of(counts, zeros, min + 0.0, max + 0.0), counts);
  }
}
