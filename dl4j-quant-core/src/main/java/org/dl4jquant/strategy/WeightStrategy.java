package org.dl4jquant.strategy;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;

/** Chooses the format of one channel of weights, which are all known. Pure and thread-safe. */
@FunctionalInterface
public interface WeightStrategy {
  /**
   * Returns the signed format for a channel.
   *
   * @param weights the channel, finite, at least one not zero
   * @param bitWidth of the format, 2 to 16
   */
  FixedPointFormat choose(float[] weights, int bitWidth);

  /**
   * Returns the affine format, of zero point 0, for a channel: one that covers the largest
   * magnitude unless a strategy knows better.
   *
   * @param weights the channel, finite, at least one not zero
   * @param bitWidth of the format, 2 to 16
   */
  default AffineParameters chooseAffine(float[] weights, int bitWidth) {
    return AffineParameters.symmetric(largest(weights), bitWidth);
  }

  /** Covers the largest magnitude: never clips, and wastes resolution on outliers. */
  static WeightStrategy maxAbs() {
    return (weights, bitWidth) -> FixedPointFormat.covering(largest(weights), bitWidth);
  }

  /**
   * Method A's range rule: {@code fractionalLength = bitWidth - 1 - ceil(log2(max + alpha))}, with
   * {@code alpha = margin * max}. Where the largest magnitude is a power of two, it saturates by
   * one code; 2^-20 as margin avoids that. A negative margin lets the largest weights saturate.
   *
   * @param margin greater than -1 and finite
   */
  static WeightStrategy range(double margin) {
    Checks.that(
        margin > -1 && margin < Double.POSITIVE_INFINITY,
        "margin",
        "be greater than -1 and finite",
        margin);
    return new WeightStrategy() {
      @Override
      public FixedPointFormat choose(float[] weights, int bitWidth) {
        return FixedPointFormat.reaching(largest(weights) * (1 + margin), bitWidth, true);
      }

      @Override
      public AffineParameters chooseAffine(float[] weights, int bitWidth) {
        return AffineParameters.symmetric(largest(weights) * (1 + margin), bitWidth);
      }
    };
  }

  /**
   * Minimizes the squared error over the channel: tries the format that covers the largest
   * magnitude and finer ones, which clip. Of two equally good ones the coarser wins.
   */
  static WeightStrategy minMse() {
    return new LeastSquaresWeights();
  }

  /** Returns the largest magnitude. */
  static float largest(float[] weights) {
    float largest = 0;
    for (float weight : weights) {
      largest = Math.max(largest, Math.abs(weight));
    }
    return largest;
  }
}
