package org.dl4jquant.strategy;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Optional;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;

/**
 * Chooses the format of values of which a profile tells the distribution.
 *
 * <p>The strategies here never look beyond the largest magnitude that was seen: where they clip
 * less than {@link #maxAbs}, they are {@link #maxAbs}. An unsigned format carries negative values
 * as 0, so that only positive ones count for it. Fractional lengths stay within -32 to 31. A
 * profile without any value, or with nothing but zeros (magnitudes below 2^-126 included), gets the
 * format whose range ends at 1: fractional length {@code bitWidth - 1} if signed, else {@code
 * bitWidth}.
 *
 * <p>Pure and thread-safe.
 */
@FunctionalInterface
public interface FormatStrategy {
  /** A channel with fewer values than this gets the format of its tensor. */
  int MIN_CHANNEL_COUNT = 100;

  /**
   * The smallest and largest fractional length of a value, so that products of two values have a
   * step that is a normal float.
   */
  int MIN_FRACTIONAL_LENGTH = -62;

  int MAX_FRACTIONAL_LENGTH = 62;

  /**
   * Returns the format for a profile.
   *
   * @param bitWidth of the format, 2 to 16
   * @param signed whether the format has a sign; without one it is twice as fine
   */
  FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed);

  /**
   * Returns the affine format for a profile: the range that the strategy would carry, at most what
   * was seen, extended to zero. Smallest and largest value count each for itself, so that nothing
   * is wasted on a side where little was seen. A profile without values gets the range 0 to 1.
   *
   * @param bitWidth of the format, 2 to 16
   * @param signed whether codes have a sign; it makes no difference to the values
   * @throws IllegalArgumentException if {@link #choosesAffine} is false
   */
  default AffineParameters chooseAffine(ChannelProfile profile, int bitWidth, boolean signed) {
    throw Checks.violated(
        "strategy", "be max-abs, percentile, sigma, mse, kl or auto for affine formats", this);
  }

  /** Returns whether the strategy knows affine formats, too. */
  default boolean choosesAffine() {
    return false;
  }

  /**
   * Returns one format per channel. A channel that carried nothing but zeros gets the median
   * fractional length of the others, one with fewer than {@value #MIN_CHANNEL_COUNT} values that of
   * the whole tensor (US20230117033A1: few samples say little about a channel).
   */
  default ImmutableList<FixedPointFormat> chooseEach(
      TensorProfile profile, int bitWidth, boolean signed) {
    return ChannelFormats.choose(this, profile, choose(profile.whole(), bitWidth, signed));
  }

  /**
   * Returns the family of probability densities by which a format is chosen; none for a strategy
   * that knows no families, or where the values are too few or all the same.
   *
   * @param bitWidth as for {@link #choose}
   * @param signed as for {@link #choose}
   */
  default Optional<PdfFamily> family(ChannelProfile profile, int bitWidth, boolean signed) {
    return Optional.empty();
  }

  /**
   * Returns the strategies among which a conversion chooses by the error of the network's outputs,
   * the one that is taken without examples first; this one alone unless it is {@link #automatic}.
   */
  default ImmutableList<FormatStrategy> candidates() {
    return ImmutableList.of(this);
  }

  /**
   * Covers the largest magnitude: {@code fractionalLength = bitWidth - 1 - ceil(log2(max|x|))} if
   * signed (the range rule of US20230117033A1). Clips by at most one step, where the largest
   * magnitude is just at or below a power of two; the next coarser format would err as much there,
   * and more elsewhere. Wastes resolution on outliers.
   */
  static FormatStrategy maxAbs() {
    return ClippingStrategy.MAX_ABS;
  }

  /**
   * Covers all but the largest magnitudes.
   *
   * @param percent of the values, zeros included, that are covered; greater than 0, at most 100
   */
  static FormatStrategy percentile(double percent) {
    return ClippingStrategy.percentile(percent);
  }

  /**
   * Covers {@code |mean| + sigmas * standardDeviation}; for an unsigned format {@code sigmas} times
   * the root of the mean square of the positive values, the deviation of the distribution of which
   * they are one half.
   *
   * @param sigmas positive and finite
   */
  static FormatStrategy meanPlusSigmas(double sigmas) {
    return ClippingStrategy.meanPlusSigmas(sigmas);
  }

  /**
   * Minimizes the expected squared error, values taken to be evenly spread within a bin of the
   * histogram and zeros to be exact. Of two equally good formats the coarser wins. For a channel
   * the error of one value beyond the largest is added, so that few examples do not make it clip.
   */
  static FormatStrategy minMse() {
    return MinMse.INSTANCE;
  }

  /**
   * Minimizes the Kullback-Leibler divergence between the histogram of magnitudes and what the
   * codes leave of it, among the formats whose expected squared error does not exceed that of
   * {@link #maxAbs}.
   *
   * <p>Without that guard it collapses with fine histograms. A code spreads its count evenly over
   * its bins, so the divergence grows with every spike that shares a code with other bins, such as
   * the zeros after a ReLU, and with the scatter of sparsely filled bins; it vanishes where a code
   * has one bin only, however much is clipped, because clipping counts by its share of the values,
   * not by its distance. Therefore zeros are left out, sparse bins are joined, and formats that the
   * histogram cannot resolve are not tried.
   */
  static FormatStrategy klDivergence() {
    return KlDivergence.INSTANCE;
  }

  /**
   * Names the family of the distribution (US20200026986A1) by a trained classifier, and takes the
   * fractional length that is best for that family at the deviation about zero that was seen; of an
   * unsigned format that of the positive values. Zeros do not count. Fewer than {@value
   * #MIN_CHANNEL_COUNT} values, or values that are all the same, tell no family: then it is {@link
   * #maxAbs}; but in a tensor such a channel gets what most others have.
   *
   * <p>The method's empirical search, which needs no family, is {@link #minMse}: it searches the
   * histogram in place of a reservoir of values, because that merges exactly and needs no seed.
   */
  static FormatStrategy pdfAware() {
    return PdfAware.CLASSIFIED;
  }

  /** Does the same, but names the family by the nearest kurtosis. */
  static FormatStrategy pdfByKurtosis() {
    return PdfAware.NEAREST_KURTOSIS;
  }

  /**
   * Does what {@link #pdfAware} does, and then takes a fractional length one longer or shorter if
   * that has the smaller expected squared error.
   */
  static FormatStrategy pdfRefined() {
    return PdfAware.REFINED;
  }

  /**
   * Takes each channel for normally distributed about zero, or one half of that, and chooses what
   * has the least expected squared error for its deviation (method A, US20190042948A1). Where the
   * mean is more than half a deviation off zero, the mean and three deviations fit. With fewer than
   * {@value #MIN_CHANNEL_COUNT} values, or where all are the same, it is {@link #maxAbs}.
   */
  static FormatStrategy channelStatistics() {
    return ChannelStatistics.NORMAL;
  }

  /** Does the same for a Laplace distribution, which has heavier tails. */
  static FormatStrategy channelStatisticsLaplace() {
    return ChannelStatistics.LAPLACE;
  }

  /**
   * Leaves the choice among mse, max-abs, percentile, kl and pdf to a conversion that has examples
   * of the calibration: value by value, by the error of the network's outputs in integers, with the
   * nearest codes of weights. For a profile alone it is {@link #minMse}.
   */
  static FormatStrategy automatic() {
    return Automatic.INSTANCE;
  }

  /**
   * Returns a strategy by its name on the command line: {@code max-abs}, {@code percentile} (99.99,
   * another as {@code percentile:99.9}), {@code sigma} (4, another as {@code sigma:6}), {@code
   * mse}, {@code kl}, {@code pdf} (also {@code pdf:kurtosis}, {@code pdf:refined}) or {@code auto}.
   * The string form of a strategy is its name.
   *
   * @throws IllegalArgumentException if the name is none of these; the message lists them
   */
  static FormatStrategy named(String name) {
    return StrategyNames.parse(name);
  }

  /** Returns the names that {@link #named} knows, for help texts. */
  static ImmutableList<String> names() {
    return StrategyNames.KNOWN.stream().collect(toImmutableList());
  }
}
