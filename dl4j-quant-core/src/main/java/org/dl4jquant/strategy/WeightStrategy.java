package org.dl4jquant.strategy;

import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;

/**
 * Chooses the fixed-point format of one channel of weights, which are all known. Pure and
 * thread-safe.
 */
@FunctionalInterface
public interface WeightStrategy {
  /**
   * Returns the signed format for a channel.
   *
   * @param weights the channel, finite, at least one not zero
   * @param bitWidth of the format, 2 to 16
   */
  FixedPointFormat choose(float[] weights, int bitWidth);

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
    return (weights, bitWidth) ->
        FixedPointFormat.reaching(largest(weights) * (1 + margin), bitWidth, true);
  }

  /**
   * Minimizes the squared error over the channel: tries the format that covers the largest
   * magnitude and finer ones, which clip. Of two equally good ones the coarser wins.
   */
  static WeightStrategy minMse() {
    return WeightStrategy::leastSquaredError;
  }

  private static FixedPointFormat leastSquaredError(float[] weights, int bitWidth) {
    FixedPointFormat best = FixedPointFormat.covering(largest(weights), bitWidth);
    double least = squaredError(weights, best);
    FixedPointFormat finer = best;
    int finest =
        Math.min(FixedPointFormat.MAX_FRACTIONAL_LENGTH, best.fractionalLength() + bitWidth);
    while (finer.fractionalLength() < finest) {
      finer = finer.withFractionalLength(finer.fractionalLength() + 1);
      double error = squaredError(weights, finer);
      if (error < least) {
        least = error;
        best = finer;
      }
    }
    return best;
  }

  private static double squaredError(float[] weights, FixedPointFormat format) {
    double scale = format.scale();
    double inverse = 1 / scale;
    double min = format.minCode();
    double max = format.maxCode();
    double sum = 0;
    for (float weight : weights) {
      double code = Math.rint(weight * inverse);
      double error = weight - Math.max(min, Math.min(max, code)) * scale;
      sum += error * error;
    }
    return sum;
  }

  private static double largest(float[] weights) {
    float largest = 0;
    for (float weight : weights) {
      largest = Math.max(largest, Math.abs(weight));
    }
    return largest;
  }
}
