package org.dl4jquant.stats;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * Moments and histogram of one channel, each with the promises of its own accumulator: {@link
 * MomentsAccumulator} and {@link HistogramAccumulator}. Not thread-safe.
 */
public final class ChannelProfileAccumulator
    implements Accumulator<ChannelProfileAccumulator, ChannelProfile> {
  private final MomentsAccumulator moments = MomentsAccumulator.create();
  private final HistogramAccumulator histogram;

  private ChannelProfileAccumulator(int bins) {
    histogram = HistogramAccumulator.create(bins);
  }

  /** Returns an accumulator with the default number of bins that has seen nothing. */
  public static ChannelProfileAccumulator create() {
    return create(HistogramAccumulator.DEFAULT_BINS);
  }

  /**
   * Returns an accumulator that has seen nothing.
   *
   * @param bins of the histogram, a power of two from 4 to 65536
   */
  public static ChannelProfileAccumulator create(int bins) {
    return new ChannelProfileAccumulator(bins);
  }

  @Override
  public void accept(double value) {
    moments.accept(value);
    histogram.accept(value);
  }

  /**
   * Adds the elements {@code from}, {@code from + stride} and so on below {@code to}.
   *
   * @throws IllegalArgumentException if the range is not within the array, or the stride not
   *     positive
   */
  public void acceptAll(float[] values, int from, int to, int stride) {
    moments.acceptAll(values, from, to, stride);
    histogram.acceptAll(values, from, to, stride);
  }

  /**
   * Adds everything that {@code other} has seen and returns this.
   *
   * @throws IllegalArgumentException if the other has another number of bins
   */
  @Override
  @CanIgnoreReturnValue
  public ChannelProfileAccumulator combine(ChannelProfileAccumulator other) {
    histogram.combine(other.histogram);
    moments.combine(other.moments);
    return this;
  }

  @Override
  public ChannelProfile snapshot() {
    return new ChannelProfile(moments.snapshot(), histogram.snapshot());
  }
}
