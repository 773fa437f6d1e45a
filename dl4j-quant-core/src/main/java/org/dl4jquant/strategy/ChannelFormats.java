package org.dl4jquant.strategy;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.stream.IntStream;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;

/** The formats of all channels of a tensor, those included of which little is known. */
final class ChannelFormats {
  private ChannelFormats() {}

  /**
   * Chooses for each channel.
   *
   * @param whole the format for channels of few values
   */
  static ImmutableList<FixedPointFormat> choose(
      FormatStrategy strategy, TensorProfile profile, FixedPointFormat whole) {
    int bitWidth = whole.bitWidth();
    boolean signed = whole.signed();
    ImmutableList<ChannelProfile> channels = profile.channels();
    FixedPointFormat[] formats = new FixedPointFormat[channels.size()];
    for (int c = 0; c < formats.length; c++) {
      boolean known = channels.get(c).count() >= FormatStrategy.MIN_CHANNEL_COUNT;
      formats[c] = known ? strategy.choose(channels.get(c), bitWidth, signed) : whole;
    }
    int[] alive =
        IntStream.range(0, formats.length)
            .filter(c -> FormatLimits.reach(channels.get(c), signed) > 0)
            .map(c -> formats[c].fractionalLength())
            .sorted()
            .toArray();
    FixedPointFormat dead =
        alive.length == 0 ? whole : whole.withFractionalLength(alive[(alive.length - 1) / 2]);
    return IntStream.range(0, formats.length)
        .mapToObj(c -> FormatLimits.reach(channels.get(c), signed) > 0 ? formats[c] : dead)
        .collect(toImmutableList());
  }
}
