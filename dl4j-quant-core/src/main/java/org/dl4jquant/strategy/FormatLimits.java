package org.dl4jquant.strategy;

import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Moments;

/** What all strategies share: the magnitude that matters, the fallback, and the limits. */
final class FormatLimits {
  private static final int MIN_BIT_WIDTH = 2;
  private static final int MAX_BIT_WIDTH = 16;

  private FormatLimits() {}

  /** Returns the largest value that a format can be asked to carry; 0 if there is none. */
  static double reach(ChannelProfile profile, boolean signed) {
    Moments moments = profile.moments();
    if (moments.count() == 0) {
      return 0;
    }
    double reach = signed ? moments.maxAbs() : Math.max(0, moments.max());
    return reach < Float.MIN_NORMAL ? 0 : reach;
  }

  /** Returns the finest format that reaches a magnitude, or the fallback for 0. */
  static FixedPointFormat reaching(double magnitude, int bitWidth, boolean signed) {
    Checks.inRange("bitWidth", bitWidth, MIN_BIT_WIDTH, MAX_BIT_WIDTH);
    return limited(FixedPointFormat.reaching(magnitude == 0 ? 1 : magnitude, bitWidth, signed));
  }

  /** Returns the format with its fractional length within the limits. */
  static FixedPointFormat limited(FixedPointFormat format) {
    int length = format.fractionalLength();
    return format.withFractionalLength(
        Math.max(
            FormatStrategy.MIN_FRACTIONAL_LENGTH,
            Math.min(FormatStrategy.MAX_FRACTIONAL_LENGTH, length)));
  }
}
