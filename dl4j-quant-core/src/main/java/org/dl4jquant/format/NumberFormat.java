package org.dl4jquant.format;

/**
 * A finite set of real numbers, each with an integer code: what one stored value may be.
 *
 * <p>Laws that every implementation keeps:
 *
 * <ul>
 *   <li>{@code quantize} is monotone: a larger value never gets a smaller represented value
 *       (stochastic rounding excepted);
 *   <li>{@code quantize(dequantize(code)) == code} for every code from {@code minCode} to {@code
 *       maxCode} and every rounding to the nearest, so fake quantization is idempotent; a {@link
 *       FixedPointFormat} keeps this for every rounding;
 *   <li>values outside the representable range saturate, infinite ones included; NaN is refused.
 * </ul>
 *
 * <p>Implementations are immutable and thread-safe.
 */
public sealed interface NumberFormat permits UniformFormat, Codebook, LogFormat {
  /** Returns the bits of one code, the sign included. */
  int bitWidth();

  /** Returns true if codes are two's complement, false if they start at 0. */
  boolean signed();

  /** Returns the smallest code. */
  long minCode();

  /** Returns the largest code. */
  long maxCode();

  /**
   * Returns the code of the representable number that {@code rounding} picks for {@code value}.
   *
   * @throws IllegalArgumentException if {@code value} is NaN
   */
  long quantize(double value, Rounding rounding);

  /** Returns the real number that {@code code} stands for. */
  double dequantize(long code);

  /** Returns the code of the representable number nearest to {@code value}, ties to even codes. */
  default long quantize(double value) {
    return quantize(value, Rounding.HALF_EVEN);
  }

  /** Returns {@code value} as this format would carry it: quantized, then dequantized. */
  default double fakeQuantize(double value) {
    return fakeQuantize(value, Rounding.HALF_EVEN);
  }

  /** Returns {@code value} as this format would carry it under {@code rounding}. */
  default double fakeQuantize(double value, Rounding rounding) {
    return dequantize(quantize(value, rounding));
  }

  /** Returns the smallest representable number. */
  default double minValue() {
    return dequantize(minCode());
  }

  /** Returns the largest representable number. */
  default double maxValue() {
    return dequantize(maxCode());
  }
}
