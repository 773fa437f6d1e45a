package org.dl4jquant.strategy;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.UniformFormat;

/** The format of least squared error over a channel of weights. */
final class LeastSquaresWeights implements WeightStrategy {
  private static final int PER_OCTAVE = 32;
  private static final int FINER_OCTAVES = 2;

  @Override
  public FixedPointFormat choose(float[] weights, int bitWidth) {
    FixedPointFormat best = FixedPointFormat.covering(WeightStrategy.largest(weights), bitWidth);
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

  /** Tries the covering step, and finer ones down to a quarter of it. */
  @Override
  public AffineParameters chooseAffine(float[] weights, int bitWidth) {
    double largest = WeightStrategy.largest(weights);
    AffineParameters best = AffineParameters.symmetric(largest, bitWidth);
    double least = squaredError(weights, best);
    for (int i = 1; i <= PER_OCTAVE * FINER_OCTAVES; i++) {
      AffineParameters finer =
          AffineParameters.symmetric(largest * Math.pow(2, -(double) i / PER_OCTAVE), bitWidth);
      double error = squaredError(weights, finer);
      if (error < least) {
        least = error;
        best = finer;
      }
    }
    return best;
  }

  private static double squaredError(float[] weights, UniformFormat format) {
    double scale = format.step();
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
}
