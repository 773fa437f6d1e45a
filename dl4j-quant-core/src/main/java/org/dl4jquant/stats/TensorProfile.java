package org.dl4jquant.stats;

import com.google.common.collect.ImmutableList;
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
}
