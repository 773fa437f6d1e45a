package org.dl4jquant.stats;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.internal.Checks;

/**
 * Profiles of the channels of a tensor and of the whole, as {@link BinnedProfileAccumulator} makes
 * them, in at most about {@value #MEGABYTE} bytes for up to 32,768 channels: the more channels, the
 * fewer bins each has, from 2048 to 4. Beyond 256 channels the whole has a histogram of its own.
 * Combining is exact, bit for bit. Not thread-safe.
 */
public final class BinnedTensorAccumulator {
  private static final int MEGABYTE = 1 << 20;
  private static final int MOST_BINS = HistogramAccumulator.DEFAULT_BINS;
  private static final int FEWEST_BINS = 4;
  private static final int FINE = 512;
  private static final int BLOCK = 1 << 14; // elements; a block stays in the fastest cache
  private static final int PARALLEL = 1 << 15; // elements; fewer are not worth a second thread

  private final ImmutableList<BinnedProfileAccumulator> channels;
  private final Optional<BinnedProfileAccumulator> whole;

  private BinnedTensorAccumulator(
      ImmutableList<BinnedProfileAccumulator> channels, Optional<BinnedProfileAccumulator> whole) {
    this.channels = channels;
    this.whole = whole;
  }

  /**
   * Returns an accumulator that has seen nothing.
   *
   * @param channels of the tensor, at least 1
   */
  public static BinnedTensorAccumulator create(int channels) {
    Checks.positive("channels", channels);
    int affordable = Integer.highestOneBit(Math.max(1, MEGABYTE / Long.BYTES / channels));
    int bins = Math.max(FEWEST_BINS, Math.min(MOST_BINS, affordable));
    return new BinnedTensorAccumulator(
        Stream.generate(() -> BinnedProfileAccumulator.create(bins))
            .limit(channels)
            .collect(toImmutableList()),
        bins < FINE ? Optional.of(BinnedProfileAccumulator.create(MOST_BINS)) : Optional.empty());
  }

  /** Returns an accumulator that has seen what {@code profile}, made by another one, tells. */
  public static BinnedTensorAccumulator of(TensorProfile profile) {
    boolean fine = bins(profile.whole()) == bins(profile.channels().get(0));
    return new BinnedTensorAccumulator(
        profile.channels().stream().map(BinnedProfileAccumulator::of).collect(toImmutableList()),
        fine ? Optional.empty() : Optional.of(BinnedProfileAccumulator.of(profile.whole())));
  }

  private static int bins(ChannelProfile profile) {
    return profile.histogram().counts().length();
  }

  /** Returns the number of channels. */
  public int channels() {
    return channels.size();
  }

  /**
   * Adds a batch; a large one on all processors.
   *
   * @param values of shape [batch, channels, positions]; the batch follows from {@code length}
   * @param length how many of the values count, from the first
   * @param positions per channel and example, at least 1
   * @throws IllegalArgumentException if the length is no multiple of channels times positions
   */
  public void acceptBatch(float[] values, int length, int positions) {
    Checks.positive("positions", positions);
    Checks.inRange("length", length, 0, values.length);
    Checks.that(
        length % ((long) channels.size() * positions) == 0,
        "length",
        "be a multiple of channels times positions, " + (long) channels.size() * positions,
        length);
    int size = channels.size();
    int tasks = length < PARALLEL ? 1 : Math.min(size, Runtime.getRuntime().availableProcessors());
    if (tasks == 1) {
      acceptChannels(values, length, positions, 0, size);
    } else {
      IntStream.range(0, tasks)
          .parallel()
          .forEach(
              t ->
                  acceptChannels(
                      values, length, positions, t * size / tasks, (t + 1) * size / tasks));
    }
    whole.ifPresent(all -> all.acceptAll(values, 0, length, 1));
  }

  /** Channels share nothing, so that it does not matter in which order they are fed. */
  private void acceptChannels(float[] values, int length, int positions, int first, int end) {
    int size = channels.size();
    if (positions > 1) {
      int each = size * positions;
      for (int example = 0; example < length; example += each) {
        for (int c = first; c < end; c++) {
          int from = example + c * positions;
          channels.get(c).acceptAll(values, from, from + positions, 1);
        }
      }
      return;
    }
    int block = Math.max(1, BLOCK / size) * size;
    for (int from = 0; from < length; from += Math.min(block, length - from)) {
      int to = from + Math.min(block, length - from);
      for (int c = first; c < end; c++) {
        channels.get(c).acceptAll(values, from + c, to, size);
      }
    }
  }

  /**
   * Adds everything that {@code other} has seen and returns this.
   *
   * @throws IllegalArgumentException if the other has another number of channels
   */
  @CanIgnoreReturnValue
  public BinnedTensorAccumulator combine(BinnedTensorAccumulator other) {
    Checks.that(
        other.channels.size() == channels.size(),
        "other",
        "have " + channels.size() + " channels like this",
        other.channels.size());
    for (int c = 0; c < channels.size(); c++) {
      channels.get(c).combine(other.channels.get(c));
    }
    whole.ifPresent(all -> all.combine(other.whole.orElseThrow()));
    return this;
  }

  /** Returns what has been seen so far, immutable. */
  public TensorProfile snapshot() {
    BinnedProfileAccumulator all = whole.orElseGet(this::combinedChannels);
    return new TensorProfile(
        channels.stream().map(BinnedProfileAccumulator::snapshot).collect(toImmutableList()),
        all.snapshot());
  }

  private BinnedProfileAccumulator combinedChannels() {
    BinnedProfileAccumulator all = BinnedProfileAccumulator.of(channels.get(0).snapshot());
    channels.stream().skip(1).forEach(all::combine);
    return all;
  }
}
