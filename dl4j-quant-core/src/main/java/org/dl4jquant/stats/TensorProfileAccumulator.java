package org.dl4jquant.stats;

import com.google.common.collect.ImmutableList;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.stream.Stream;
import org.dl4jquant.internal.Checks;

/**
 * Profiles of the channels of a tensor that is laid out [batch, channels, positions], row-major:
 * also [batch, channels] with one position, and [batch, channels, height, width] with height times
 * width. The profile of the whole is the channels combined. Not thread-safe.
 */
public final class TensorProfileAccumulator {
  private final int bins;
  private final ImmutableList<ChannelProfileAccumulator> channels;

  private TensorProfileAccumulator(int channels, int bins) {
    Checks.positive("channels", channels);
    this.bins = bins;
    this.channels =
        Stream.generate(() -> ChannelProfileAccumulator.create(bins))
            .limit(channels)
            .collect(ImmutableList.toImmutableList());
  }

  /** Returns an accumulator with the default number of bins that has seen nothing. */
  public static TensorProfileAccumulator create(int channels) {
    return create(channels, HistogramAccumulator.DEFAULT_BINS);
  }

  /**
   * Returns an accumulator that has seen nothing; it takes about eight bytes per channel and bin.
   *
   * @param channels of the tensor, at least 1
   * @param bins of every histogram, a power of two from 4 to 65536
   */
  public static TensorProfileAccumulator create(int channels, int bins) {
    return new TensorProfileAccumulator(channels, bins);
  }

  /**
   * Adds a batch.
   *
   * @param values of shape [batch, channels, positions]; the batch follows from the length
   * @param positions per channel and example, at least 1
   * @throws IllegalArgumentException if the length is no multiple of channels times positions
   */
  public void acceptBatch(float[] values, int positions) {
    Checks.positive("positions", positions);
    long example = (long) channels.size() * positions;
    Checks.that(
        values.length % example == 0,
        "values",
        "hold a multiple of channels times positions, " + example,
        values.length);
    if (positions == 1) {
      for (int c = 0; c < channels.size(); c++) {
        channels
            .get(c)
            .acceptAll(values, Math.min(c, values.length), values.length, channels.size());
      }
      return;
    }
    for (int from = 0; from < values.length; from += positions) {
      int channel = from / positions % channels.size();
      channels.get(channel).acceptAll(values, from, from + positions, 1);
    }
  }

  /**
   * Adds everything that {@code other} has seen and returns this.
   *
   * @throws IllegalArgumentException if the other has another number of channels or bins
   */
  @CanIgnoreReturnValue
  public TensorProfileAccumulator combine(TensorProfileAccumulator other) {
    Checks.that(
        other.channels.size() == channels.size(),
        "other",
        "have " + channels.size() + " channels like this",
        other.channels.size());
    for (int c = 0; c < channels.size(); c++) {
      channels.get(c).combine(other.channels.get(c));
    }
    return this;
  }

  /** Returns what has been seen so far, immutable. */
  public TensorProfile snapshot() {
    ChannelProfileAccumulator whole = ChannelProfileAccumulator.create(bins);
    channels.forEach(whole::combine);
    return new TensorProfile(
        channels.stream()
            .map(ChannelProfileAccumulator::snapshot)
            .collect(ImmutableList.toImmutableList()),
        whole.snapshot());
  }
}
