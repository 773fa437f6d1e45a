package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/**
 * An affine format: {@code value = scale * (code - zeroPoint)}.
 *
 * <p>Codes of up to 16 bits are computed in float, step by step as the ONNX operators
 * QuantizeLinear and DequantizeLinear (opset 13) prescribe, so that every runtime gets the same
 * numbers. Wider codes are computed in double, because a float does not hold them.
 *
 * @param bitWidth all bits of a code, the sign included; 2 to 32
 * @param scale the real value of one step; positive, a float so that every runtime computes with
 *     the same number, and so small that the distance from the smallest to the largest value is a
 *     finite float
 * @param zeroPoint the code that means 0.0; one of the codes
 * @param signed two's complement if true, else codes start at 0
 */
public record AffineParameters(int bitWidth, float scale, long zeroPoint, boolean signed)
    implements UniformFormat {
  private static final int MAX_FLOAT_BIT_WIDTH = 16;

  /** Smaller ranges are none: products of two scales stay normal floats. */
  private static final double TINY = 0x1p-46;

  public AffineParameters {
    Checks.inRange(
        "bitWidth", bitWidth, FixedPointFormat.MIN_BIT_WIDTH, FixedPointFormat.MAX_BIT_WIDTH);
    Checks.positiveFinite("scale", scale);
    FixedPointFormat codes = new FixedPointFormat(bitWidth, 0, signed, false);
    Checks.that(
        zeroPoint >= codes.minCode() && zeroPoint <= codes.maxCode(),
        "zeroPoint",
        "be between " + codes.minCode() + " and " + codes.maxCode(),
        zeroPoint);
    Checks.that(
        Float.isFinite((codes.maxCode() - codes.minCode()) * scale),
        "scale",
        "keep the range of " + bitWidth + " bits finite",
        scale);
  }

  /**
   * Returns the finest signed format of zero point 0 that carries {@code maxAbs} and its negative
   * without clipping; that of 1 for magnitudes below 2^-46.
   */
  public static AffineParameters symmetric(double maxAbs, int bitWidth) {
    Checks.nonNegativeFinite("maxAbs", maxAbs);
    Checks.inRange(
        "bitWidth", bitWidth, FixedPointFormat.MIN_BIT_WIDTH, FixedPointFormat.MAX_BIT_WIDTH);
    double reach = maxAbs < TINY ? 1 : maxAbs;
    return new AffineParameters(
        bitWidth, (float) (reach / (double) ((1L << (bitWidth - 1)) - 1)), 0, true);
  }

  /**
   * Returns the format of the range from {@code lowest} to {@code highest}, made to contain 0. The
   * zero point is the code nearest to where zero lies, so that both ends are carried to within half
   * a step; the range of 0 to 1 in place of one narrower than 2^-46.
   *
   * @param lowest finite, at most {@code highest}
   */
  public static AffineParameters covering(
      double lowest, double highest, int bitWidth, boolean signed) {
    Checks.that(
        Double.isFinite(lowest) && Double.isFinite(highest) && lowest <= highest,
        "range",
        "be finite and ascending",
        lowest + " to " + highest);
    Checks.inRange("bitWidth", bitWidth, FixedPointFormat.MIN_BIT_WIDTH, MAX_FLOAT_BIT_WIDTH);
    double low = Math.min(0, lowest);
    double high = Math.max(0, highest);
    if (high - low < TINY) {
      low = 0;
      high = 1;
    }
    int steps = (1 << bitWidth) - 1;
    float scale = (float) ((high - low) / steps);
    long minCode = signed ? -(1L << (bitWidth - 1)) : 0;
    long zeroPoint = minCode + Math.round(-low / scale);
    return new AffineParameters(bitWidth, scale, zeroPoint, signed);
  }

  /** Returns this format with another scale. */
  public AffineParameters withScale(float other) {
    return new AffineParameters(bitWidth, other, zeroPoint, signed);
  }

  /** Returns true if the arithmetic is in float, as ONNX prescribes; false if in double. */
  public boolean computesInFloat() {
    return bitWidth <= MAX_FLOAT_BIT_WIDTH;
  }

  @Override
  public double step() {
    return scale;
  }

  @Override
  public long minCode() {
    return signed ? -(1L << (bitWidth - 1)) : 0;
  }

  @Override
  public long maxCode() {
    return signed ? (1L << (bitWidth - 1)) - 1 : (1L << bitWidth) - 1;
  }

  /** Divides, rounds, then adds the zero point and saturates. */
  @Override
  public long quantize(double value, Rounding rounding) {
    if (Double.isNaN(value)) {
      throw Checks.violated("value", "be a number", value);
    }
    double steps = computesInFloat() ? (float) value / scale : value / scale;
    double code = rounding.round(steps) + (double) zeroPoint;
    return (long) Math.max((double) minCode(), Math.min((double) maxCode(), code));
  }

  @Override
  public double dequantize(long code) {
    long steps = code - zeroPoint;
    return computesInFloat() ? steps * scale : steps * (double) scale;
  }
}
