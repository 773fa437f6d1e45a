package org.dl4jquant.strategy;

import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;

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
  public String toString() {
    return "kl";
  }
}
