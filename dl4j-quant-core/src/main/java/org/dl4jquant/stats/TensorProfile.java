package org.dl4jquant.stats;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.stream.IntStream;
import org.dl4jquant.internal.Checks;

/**
 * What a {@link TensorProfileAccumulator} has seen.
 *
 * @param channels the profile of every channel, in order, at least one
 * @param whole the profile of all channels together
 */
public record TensorProfile(ImmutableList<ChannelProfile> channels, ChannelProfile whole) {
  public TensorProfile {
    Checks.that(!channels.isEmpty(), "channels", "not be empty", channels);
    long sum = channels.stream().mapToLong(ChannelProfile::count).sum();
    Checks.that(
        whole.count() == sum,
        "whole",
        "count as many values as the channels, " + sum,
        whole.count());
  }

  /**
   * Returns the profile of the same values, those of each channel times its power of two; the
   * moments of the whole follow from the histograms.
   *
   * @param exponents one per channel
   */
  public TensorProfile scaled(ImmutableIntArray exponents) {
    Checks.that(
        exponents.length() == channels.size(),
        "exponents",
        "be one per channel, " + channels.size(),
        exponents.length());
    ImmutableList<ChannelProfile> scaled =
        IntStream.range(0, channels.size())
            .mapToObj(c -> channels.get(c).scaled(exponents.get(c)))
            .collect(toImmutableList());
    BinnedProfileAccumulator all = BinnedProfileAccumulator.of(scaled.get(0));
    scaled.stream().skip(1).map(BinnedProfileAccumulator::of).forEach(all::combine);
    return new TensorProfile(scaled, all.snapshot());
  }
}
