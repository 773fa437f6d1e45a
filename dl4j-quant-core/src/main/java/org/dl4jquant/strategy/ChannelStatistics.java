package org.dl4jquant.strategy;

import java.util.Locale;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Moments;

/**
 * Method A's rule: the fractional length that is best for a normal or Laplace distribution of the
 * deviation that was seen, taken about zero because formats have no zero point.
 */
final class ChannelStatistics implements FormatStrategy {
  static final ChannelStatistics NORMAL = new ChannelStatistics(PdfFamily.NORMAL);
  static final ChannelStatistics LAPLACE = new ChannelStatistics(PdfFamily.LAPLACE);
  static final String NAME = "channel-statistics";

  /** A mean beyond this, in deviations about it, lies off the middle of the format. */
  private static final double OFF_CENTER = 0.5;

  private static final double REACH = 3; // deviations from the mean that must fit then

  private final PdfFamily family;

  private ChannelStatistics(PdfFamily family) {
    this.family = family;
  }

  @Override
  public FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed) {
    FixedPointFormat widest =
        FormatLimits.reaching(FormatLimits.reach(profile, signed), bitWidth, signed);
    Moments moments = profile.moments();
    if (FormatLimits.reach(profile, signed) == 0
        || moments.count() < MIN_CHANNEL_COUNT
        || moments.variance() == 0) {
      return widest;
    }
    boolean half = !signed || moments.min() >= 0;
    double deviation =
        half ? Math.sqrt(moments.positiveMeanSquare()) : deviation(moments, bitWidth);
    int length = family.fractionalLength(deviation, signed ? bitWidth : bitWidth + 1);
    return FormatLimits.limited(
        widest.withFractionalLength(Math.max(widest.fractionalLength(), length)));
  }

  /** Returns the deviation about zero, or one that keeps values far from zero within the range. */
  private double deviation(Moments moments, int bitWidth) {
    double aboutZero = Math.sqrt(moments.meanSquare());
    double aboutMean = moments.standardDeviation();
    double mean = Math.abs(moments.mean());
    if (mean <= OFF_CENTER * aboutMean) {
      return aboutZero;
    }
    double rangeOfOne = Math.scalb(1.0, bitWidth - 1 - family.fractionalLength(1, bitWidth));
    return Math.max(aboutZero, (mean + REACH * aboutMean) / rangeOfOne);
  }

  @Override
  public String toString() {
    return family == PdfFamily.NORMAL
        ? NAME
        : NAME + ":" + family.toString().toLowerCase(Locale.ROOT);
  }
}
