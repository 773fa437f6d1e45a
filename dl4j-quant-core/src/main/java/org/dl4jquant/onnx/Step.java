package org.dl4jquant.onnx;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;

/** The two numbers by which ONNX turns codes into values: {@code scale * (code - zeroPoint)}. */
record Step(float scale, long zeroPoint) {
  Step {
    Checks.positiveFinite("scale", scale);
  }

  /**
   * Returns the step of a format.
   *
   * @throws IllegalArgumentException if its values are not equally spaced
   */
  static Step of(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint) {
      return ofPowerOfTwo(fixedPoint.fractionalLength());
    }
    if (format instanceof AffineParameters affine) {
      return new Step(affine.scale(), affine.zeroPoint());
    }
    throw Checks.violated("format", "be fixed point or affine", format);
  }

  /** Returns the step {@code 2^-fractionalLength}, which a float must hold. */
  static Step ofPowerOfTwo(int fractionalLength) {
    Checks.inRange("fractionalLength", fractionalLength, -Float.MAX_EXPONENT, 149);
    return new Step(Math.scalb(1f, -fractionalLength), 0);
  }
}
