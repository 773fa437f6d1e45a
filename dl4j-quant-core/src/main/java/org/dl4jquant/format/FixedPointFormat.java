package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/**
 * A fixed-point format: {@code value = code * 2^-fractionalLength}.
 *
 * @param bitWidth all bits of a code, the sign included; 2 to 32
 * @param fractionalLength the exponent of the step {@code 2^-fractionalLength}; -126 to 126, so
 *     that the step is a normal float; it may be negative or exceed the bit width
 * @param signed two's complement if true, else codes start at 0
 * @param narrowRange if true the lowest signed code is unused, so that the range is symmetric (8
 *     bit: -127 to 127); only for signed formats
 */
public record FixedPointFormat(
    int bitWidth, int fractionalLength, boolean signed, boolean narrowRange)
    implements UniformFormat {
  /** The smallest and largest bit width and fractional length. */
  public static final int MIN_BIT_WIDTH = 2;

  public static final int MAX_BIT_WIDTH = 32;
  public static final int MIN_FRACTIONAL_LENGTH = -126;
  public static final int MAX_FRACTIONAL_LENGTH = 126;

  public FixedPointFormat {
    Checks.inRange("bitWidth", bitWidth, MIN_BIT_WIDTH, MAX_BIT_WIDTH);
    Checks.inRange(
        "fractionalLength", fractionalLength, MIN_FRACTIONAL_LENGTH, MAX_FRACTIONAL_LENGTH);
    Checks.that(signed || !narrowRange, "narrowRange", "be false for an unsigned format", true);
  }

  /** Returns the two's-complement format with all codes in use. */
  public static FixedPointFormat signed(int bitWidth, int fractionalLength) {
    return new FixedPointFormat(bitWidth, fractionalLength, true, false);
  }

  /** Returns the format of codes 0 to {@code 2^bitWidth - 1}. */
  public static FixedPointFormat unsigned(int bitWidth, int fractionalLength) {
    return new FixedPointFormat(bitWidth, fractionalLength, false, false);
  }

  /**
   * Returns the finest signed format of {@code bitWidth} bits that carries {@code maxAbs} and its
   * negative without clipping, after rounding. The fractional length stays within its limits: a
   * {@code maxAbs} below their reach gets the finest format there is, one above it (2^133 at 8
   * bits) the coarsest, which clips.
   */
  public static FixedPointFormat covering(double maxAbs, int bitWidth) {
    Checks.positiveFinite("maxAbs", maxAbs);
    Checks.inRange("bitWidth", bitWidth, MIN_BIT_WIDTH, MAX_BIT_WIDTH);
    int finest = bitWidth - 2 - Math.getExponent(maxAbs);
    long maxCode = (1L << (bitWidth - 1)) - 1;
    boolean fits = Math.rint(Math.scalb(maxAbs, finest)) <= maxCode;
    int length = fits ? finest : finest - 1;
    return signed(
        bitWidth, Math.max(MIN_FRACTIONAL_LENGTH, Math.min(MAX_FRACTIONAL_LENGTH, length)));
  }

  /**
   * Returns the finest format whose range ends at {@code maxAbs} or beyond: {@code maxAbs <=
   * 2^integerBits}. Where it is that power of two itself, or less than half a step below it, the
   * largest code lies below it, by at most one step; the next coarser format errs by as much.
   * Within the limits of the fractional length as {@link #covering}.
   */
  public static FixedPointFormat reaching(double maxAbs, int bitWidth, boolean signed) {
    Checks.positiveFinite("maxAbs", maxAbs);
    Checks.inRange("bitWidth", bitWidth, MIN_BIT_WIDTH, MAX_BIT_WIDTH);
    int length = bitWidth - (signed ? 1 : 0) - Log2.ceil(maxAbs);
    return new FixedPointFormat(
        bitWidth,
        Math.max(MIN_FRACTIONAL_LENGTH, Math.min(MAX_FRACTIONAL_LENGTH, length)),
        signed,
        false);
  }

  /** Returns this format with the lowest signed code unused. */
  public FixedPointFormat withNarrowRange() {
    return new FixedPointFormat(bitWidth, fractionalLength, signed, true);
  }

  /** Returns this format with another fractional length. */
  public FixedPointFormat withFractionalLength(int length) {
    return new FixedPointFormat(bitWidth, length, signed, narrowRange);
  }

  /** Returns the real value of one step, {@code 2^-fractionalLength}, exactly. */
  public double scale() {
    return Math.scalb(1.0, -fractionalLength);
  }

  @Override
  public double step() {
    return scale();
  }

  @Override
  public long zeroPoint() {
    return 0;
  }

  /** Returns the bits left of the binary point, the sign excluded; may be negative. */
  public int integerBits() {
    return bitWidth - (signed ? 1 : 0) - fractionalLength;
  }

  @Override
  public long minCode() {
    return signed ? -(1L << (bitWidth - 1)) + (narrowRange ? 1 : 0) : 0;
  }

  @Override
  public long maxCode() {
    return signed ? (1L << (bitWidth - 1)) - 1 : (1L << bitWidth) - 1;
  }

  @Override
  public long quantize(double value, Rounding rounding) {
    if (Double.isNaN(value)) {
      throw Checks.violated("value", "be a number", value);
    }
    double steps = Math.scalb(value, fractionalLength);
    // A value so small that its steps underflow is itself far below one step, with the right sign.
    return saturate(rounding.round(steps == 0 ? value : steps));
  }

  @Override
  public double dequantize(long code) {
    return Math.scalb((double) code, -fractionalLength);
  }

  /** Returns the code of this format that is nearest to {@code code}. */
  public long saturate(long code) {
    return Math.max(minCode(), Math.min(maxCode(), code));
  }

  private long saturate(double code) {
    return (long) Math.max((double) minCode(), Math.min((double) maxCode(), code));
  }

  /** Returns for example {@code Q1.6 (8 bit)}; an unsigned format starts with {@code UQ}. */
  @Override
  public String toString() {
    return (signed ? "Q" : "UQ")
        + integerBits()
        + "."
        + fractionalLength
        + " ("
        + bitWidth
        + " bit"
        + (narrowRange ? ", narrow range)" : ")");
  }
}
