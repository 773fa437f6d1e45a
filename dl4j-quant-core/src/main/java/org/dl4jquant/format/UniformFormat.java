package org.dl4jquant.format;

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
}
