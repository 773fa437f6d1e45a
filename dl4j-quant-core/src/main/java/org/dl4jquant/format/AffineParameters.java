package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/**
 * An affine format: {@code value = scale * (code - zeroPoint)}.
 *
 * @param bitWidth all bits of a code, the sign included; 2 to 32
 * @param scale the real value of one step; positive, finite, and a float so that every runtime
 *     computes with the same number
 * @param zeroPoint the code that means 0.0; one of the codes
 * @param signed two's complement if true, else codes start at 0
 */
public record AffineParameters(int bitWidth, float scale, long zeroPoint, boolean signed)
    implements NumberFormat {
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
  }

  @Override
  public long minCode() {
    return signed ? -(1L << (bitWidth - 1)) : 0;
  }

  @Override
  public long maxCode() {
    return signed ? (1L << (bitWidth - 1)) - 1 : (1L << bitWidth) - 1;
  }

  /** Follows ONNX QuantizeLinear: divide in float, round, then add the zero point and saturate. */
  @Override
  public long quantize(double value, Rounding rounding) {
    if (Double.isNaN(value)) {
      throw Checks.violated("value", "be a number", value);
    }
    double code = rounding.round((float) value / scale) + (double) zeroPoint;
    return (long) Math.max((double) minCode(), Math.min((double) maxCode(), code));
  }

  /** Follows ONNX DequantizeLinear: one float product. */
  @Override
  public double dequantize(long code) {
    return (float) (code - zeroPoint) * scale;
  }
}
