package org.dl4jquant.strategy;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Moments;

/** The least divergence among the formats that do not lose to max-abs in squared error. */
final class KlDivergence implements FormatStrategy {
  static final KlDivergence INSTANCE = new KlDivergence();
  private static final double COUNTS_PER_BIN = 8;

  private KlDivergence() {}

  @Override
  public FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed) {
    double reach = FormatLimits.reach(profile, signed);
    FixedPointFormat best = FormatLimits.reaching(reach, bitWidth, signed);
    if (reach == 0) {
      return best;
    }
    ExpectedError error = ExpectedError.of(profile);
    double allowed = error.of(best);
    int codes = 1 << (signed ? bitWidth - 1 : bitWidth);
    MagnitudeHistogram magnitudes =
        MagnitudeHistogram.of(profile, signed)
            .joined(COUNTS_PER_BIN, best.fractionalLength() - bitWidth + (signed ? 1 : 0), codes);
    double least = magnitudes.divergence(codes, best.fractionalLength());
    int finest = Math.min(magnitudes.finestLength(), MAX_FRACTIONAL_LENGTH);
    for (int length = best.fractionalLength() + 1; length <= finest; length++) {
      FixedPointFormat finer = best.withFractionalLength(length);
      double divergence = magnitudes.divergence(codes, length);
      if (divergence < least && error.of(finer) <= allowed) {
        least = divergence;
        best = finer;
      }
    }
    return best;
  }

  @Override
  public AffineParameters chooseAffine(ChannelProfile profile, int bitWidth, boolean signed) {
    Moments seen = profile.moments();
    if (seen.count() == 0 || seen.maxAbs() < Float.MIN_NORMAL) {
      return AffineParameters.covering(0, 0, bitWidth, signed);
    }
    double low = Math.min(0, seen.min());
    double high = Math.max(0, seen.max());
    AffineParameters best = AffineParameters.covering(low, high, bitWidth, signed);
    ExpectedError error = ExpectedError.of(profile);
    double allowed = error.of(best);
    boolean both = low < 0;
    int codes = 1 << (both ? bitWidth - 1 : bitWidth);
    double reach = Math.max(-low, high);
    MagnitudeHistogram magnitudes =
        MagnitudeHistogram.of(profile, both)
            .joined(COUNTS_PER_BIN, -Math.getExponent(reach) - 1, codes);
    double least = Double.POSITIVE_INFINITY;
    for (int bins = magnitudes.binsTo(reach) / codes + 1; bins >= 2; bins--) {
      double magnitude = magnitudes.edge(bins * codes);
      AffineParameters clipped =
          AffineParameters.covering(
              Math.max(low, -magnitude), Math.min(high, magnitude), bitWidth, signed);
      double divergence = magnitudes.divergenceOf(codes, bins);
      if (divergence < least && error.of(clipped) <= allowed) {
        least = divergence;
        best = clipped;
      }
    }
    return best;
  }

  @Override
  public boolean choosesAffine() {
    return true;
  }

  @Override
  public String toString() {
    return "kl";
  }
}
