package org.dl4jquant.format;

import com.google.common.primitives.ImmutableDoubleArray;
import org.dl4jquant.internal.Checks;

/**
 * The logarithmic scale of {@link LogFormat}: number {@code i} is {@code 2^(i/16)}.
 *
 * <p>The sixteen numbers of one octave are constants, correctly rounded to double; all others are
 * these times a power of two. So results do not depend on the machine or its math library.
 */
public final class SixteenthOctaves {
  private static final ImmutableDoubleArray OCTAVE =
      ImmutableDoubleArray.of(
          1.0,
          1.0442737824274138,
          1.0905077326652577,
          1.1387886347566916,
          1.189207115002721,
          1.241857812073484,
          1.2968395546510096,
          1.3542555469368927,
          1.4142135623730951,
          1.4768261459394993,
          1.5422108254079407,
          1.6104903319492543,
          1.681792830507429,
          1.7562521603732995,
          1.8340080864093424,
          1.9152065613971474);

  private static final int SUBNORMAL_SHIFT = 64;

  private SixteenthOctaves() {}

  /** Returns {@code 2^(index/16)}, to half a unit in the last place where it is a normal double. */
  public static double value(int index) {
    return Math.scalb(OCTAVE.get(Math.floorMod(index, 16)), Math.floorDiv(index, 16));
  }

  /**
   * Returns the largest index whose {@link #value} is at most {@code x}: {@code floor(16 log2 x)}.
   *
   * @param x positive and finite
   */
  public static int floorIndex(double x) {
    Checks.positiveFinite("x", x);
    int exponent = Math.getExponent(x);
    if (exponent < Double.MIN_EXPONENT) {
      return floorIndex(Math.scalb(x, SUBNORMAL_SHIFT)) - 16 * SUBNORMAL_SHIFT;
    }
    double significand = Math.scalb(x, -exponent);
    int low = 0;
    for (int step = 8; step > 0; step >>= 1) {
      if (significand >= OCTAVE.get(low + step)) {
        low += step;
      }
    }
    return 16 * exponent + low;
  }
}
