package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;

/** Tries the format that covers the largest magnitude and all finer ones that can be better. */
final class MinMse implements FormatStrategy {
  private static final int HEAVY_TAIL = 8; // finer than any format that clips all but one code

  static final MinMse INSTANCE = new MinMse();

  private MinMse() {}

  @Override
  public FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed) {
    return choose(profile, ExpectedError.of(profile), bitWidth, signed);
  }

  @Override
  public ImmutableList<FixedPointFormat> chooseEach(
      TensorProfile profile, int bitWidth, boolean signed) {
    FormatStrategy careful =
        (channel, bits, sign) ->
            choose(channel, ExpectedError.of(channel).andOneBeyond(), bits, sign);
    return ChannelFormats.choose(
        careful, profile, careful.choose(profile.whole(), bitWidth, signed));
  }

  private static FixedPointFormat choose(
      ChannelProfile profile, ExpectedError error, int bitWidth, boolean signed) {
    double reach = FormatLimits.reach(profile, signed);
    FixedPointFormat format = FormatLimits.reaching(reach, bitWidth, signed);
    if (reach == 0) {
      return format;
    }
    int coarsest = format.fractionalLength() - 1;
    FixedPointFormat best = FormatLimits.limited(format.withFractionalLength(coarsest));
    double least = error.of(best);
    for (int length = coarsest + 1; length <= coarsest + bitWidth + HEAVY_TAIL; length++) {
      FixedPointFormat finer = FormatLimits.limited(format.withFractionalLength(length));
      double squares = error.of(finer);
      if (squares < least) {
        least = squares;
        best = finer;
      }
    }
    return best;
  }

  @Override
  public AffineParameters chooseAffine(ChannelProfile profile, int bitWidth, boolean signed) {
    return AffineSearch.leastError(profile, bitWidth, signed);
  }

  @Override
  public boolean choosesAffine() {
    return true;
  }

  @Override
  public String toString() {
    return "mse";
  }
}
