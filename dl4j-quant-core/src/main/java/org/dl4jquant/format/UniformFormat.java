package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/**
 * A format of equally spaced values: {@code value = step * (code - zeroPoint)}, so that zero is one
 * of them.
 */
public sealed interface UniformFormat extends NumberFormat
    permits FixedPointFormat, AffineParameters {
  /** Returns the distance between two neighbouring values; positive, finite and a float. */
  double step();

  /** Returns the code that means 0.0. */
  long zeroPoint();

  /**
   * Returns a format that is uniform as one.
   *
   * @throws IllegalArgumentException if it is none
   */
  static UniformFormat of(NumberFormat format) {
    if (format instanceof UniformFormat uniform) {
      return uniform;
    }
    throw Checks.violated("format", "be fixed point or affine", format);
  }
}
