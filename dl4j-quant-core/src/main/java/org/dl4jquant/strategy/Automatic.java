package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;

/** A choice that is left to whoever can measure outputs. */
final class Automatic implements FormatStrategy {
  static final Automatic INSTANCE = new Automatic();

  private Automatic() {}

  @Override
  public FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed) {
    return FormatStrategy.minMse().choose(profile, bitWidth, signed);
  }

  @Override
  public ImmutableList<FixedPointFormat> chooseEach(
      TensorProfile profile, int bitWidth, boolean signed) {
    return FormatStrategy.minMse().chooseEach(profile, bitWidth, signed);
  }

  @Override
  public ImmutableList<FormatStrategy> candidates() {
    return ImmutableList.of(
        FormatStrategy.minMse(),
        FormatStrategy.maxAbs(),
        FormatStrategy.percentile(StrategyNames.DEFAULT_PERCENT),
        FormatStrategy.klDivergence(),
        FormatStrategy.pdfAware());
  }

  @Override
  public AffineParameters chooseAffine(ChannelProfile profile, int bitWidth, boolean signed) {
    return FormatStrategy.minMse().chooseAffine(profile, bitWidth, signed);
  }

  @Override
  public boolean choosesAffine() {
    return true;
  }

  @Override
  public String toString() {
    return "auto";
  }
}
