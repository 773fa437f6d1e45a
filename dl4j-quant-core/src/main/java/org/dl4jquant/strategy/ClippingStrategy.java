package org.dl4jquant.strategy;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Histogram;
import org.dl4jquant.stats.Moments;

/** A strategy that reaches a magnitude, at most the largest that was seen. */
final class ClippingStrategy implements FormatStrategy {
  static final ClippingStrategy MAX_ABS = new ClippingStrategy("max-abs", FormatLimits::reach);

  private static final double EXACT =
      1 - 1e-12; // so that 99.9 % of 1000 is 999, not 999.0000000000001

  private final String name;
  private final Reach reach;

  private ClippingStrategy(String name, Reach reach) {
    this.name = name;
    this.reach = reach;
  }

  /** From a profile with at least one value that is not zero to the magnitude to be reached. */
  private interface Reach {
    double of(ChannelProfile profile, boolean signed);
  }

  static ClippingStrategy percentile(double percent) {
    Checks.that(
        percent > 0 && percent <= 100, "percent", "be greater than 0 and at most 100", percent);
    return new ClippingStrategy(
        "percentile:" + percent,
        (profile, signed) -> quantile(profile, percent / 100 * EXACT, signed));
  }

  static ClippingStrategy meanPlusSigmas(double sigmas) {
    Checks.positiveFinite("sigmas", sigmas);
    return new ClippingStrategy(
        "sigma:" + sigmas, (profile, signed) -> deviation(profile.moments(), sigmas, signed));
  }

  private static double quantile(ChannelProfile profile, double fraction, boolean signed) {
    Histogram histogram = profile.histogram();
    return signed
        ? histogram.magnitudeQuantile(fraction)
        : Math.max(0, histogram.quantile(fraction)) + histogram.binWidth() / 2;
  }

  private static double deviation(Moments moments, double sigmas, boolean signed) {
    return signed
        ? Math.abs(moments.mean()) + sigmas * moments.standardDeviation()
        : sigmas * Math.sqrt(moments.positiveMeanSquare());
  }

  @Override
  public FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed) {
    double largest = FormatLimits.reach(profile, signed);
    double magnitude = largest == 0 ? 0 : Math.min(largest, reach.of(profile, signed));
    return FormatLimits.reaching(magnitude, bitWidth, signed);
  }

  @Override
  public AffineParameters chooseAffine(ChannelProfile profile, int bitWidth, boolean signed) {
    Moments seen = profile.moments();
    if (seen.count() == 0 || seen.maxAbs() < Float.MIN_NORMAL) {
      return AffineParameters.covering(0, 0, bitWidth, signed);
    }
    double low = Math.min(0, seen.min());
    double high = Math.max(0, seen.max());
    double magnitude = reach.of(profile, low < 0);
    return AffineParameters.covering(
        Math.max(low, -magnitude), Math.min(high, magnitude), bitWidth, signed);
  }

  @Override
  public boolean choosesAffine() {
    return true;
  }

  @Override
  public String toString() {
    return name;
  }
}
