package org.dl4jquant.update;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;

/**
 * How the weights of one tensor take their updates.
 *
 * @param weightFormat the coarse grid; signed, at most 24 bits, so that a float carries every code
 * @param extraBits the residual's digits below the weight's last one, 1 to 30; twice the bit width
 *     and the extra bits together are at most 60
 * @param thresholdExponent n: the weight moves in multiples of {@code 2^n} of its steps; 0 unless
 *     the read-out has a threshold, else at most the bit width less 2
 * @param period the weight is read out in every {@code period}-th step; 1 for a read-out without
 *     residual
 * @param readOut how the coarse weight follows from the sum of updates
 * @param saturation what happens at the ends of the range
 * @param tuning how an update gets the residual's digits
 * @param seed of {@link ReadOut#STOCHASTIC_ROUNDING}; of no effect otherwise
 */
public record UpdateRule(
    FixedPointFormat weightFormat,
    int extraBits,
    int thresholdExponent,
    int period,
    ReadOut readOut,
    Saturation saturation,
    Tuning tuning,
    long seed) {
  /** The digits of the residual below the weight's last one, unless told otherwise. */
  public static final int DEFAULT_EXTRA_BITS = 12;

  /** The most bits a coarse weight may have. */
  public static final int MAX_BIT_WIDTH = 24;

  private static final int MAX_EXTRA_BITS = 30;
  private static final int STATE_BITS = 60;

  public UpdateRule {
    Checks.that(weightFormat.signed(), "weightFormat", "be signed", weightFormat);
    Checks.inRange("weightFormat.bitWidth", weightFormat.bitWidth(), 2, MAX_BIT_WIDTH);
    Checks.inRange("extraBits", extraBits, 1, MAX_EXTRA_BITS);
    int state = 2 * weightFormat.bitWidth() + extraBits;
    Checks.that(state <= STATE_BITS, "2 * bitWidth + extraBits", "be at most " + STATE_BITS, state);
    int maxExponent = readOut.hasThreshold() ? weightFormat.bitWidth() - 2 : 0;
    Checks.that(
        thresholdExponent >= 0 && thresholdExponent <= maxExponent,
        "thresholdExponent",
        "be between 0 and " + maxExponent + " with " + readOut,
        thresholdExponent);
    Checks.positive("period", period);
    Checks.that(readOut.keepsResidual() || period == 1, "period", "be 1 with " + readOut, period);
  }

  /** Returns method C: an accumulation buffer, threshold one step, truncation toward zero. */
  public static UpdateRule accumulated(FixedPointFormat weightFormat) {
    return of(weightFormat, ReadOut.TRUNC_THRESHOLD);
  }

  /** Returns method D: weight and residual as one number, read out to the nearest step. */
  public static UpdateRule residual(FixedPointFormat weightFormat) {
    return of(weightFormat, ReadOut.NEAREST);
  }

  /** Returns a rule of this read-out with the defaults for the rest. */
  public static UpdateRule of(FixedPointFormat weightFormat, ReadOut readOut) {
    return new UpdateRule(
        weightFormat,
        Math.min(DEFAULT_EXTRA_BITS, STATE_BITS - 2 * weightFormat.bitWidth()),
        0,
        1,
        readOut,
        Saturation.CLAMP,
        Tuning.ROUND,
        0);
  }

  /** Returns the fractional length of the residual's last digit. */
  public int residualFractionalLength() {
    return weightFormat.fractionalLength() + extraBits;
  }

  /** Returns this rule with another coarse grid and the same digits below its last one. */
  @CanIgnoreReturnValue
  public UpdateRule withWeightFormat(FixedPointFormat format) {
    return new UpdateRule(
        format, extraBits, thresholdExponent, period, readOut, saturation, tuning, seed);
  }

  /** Returns this rule with another number of digits below the weight's last one. */
  public UpdateRule withExtraBits(int bits) {
    return new UpdateRule(
        weightFormat, bits, thresholdExponent, period, readOut, saturation, tuning, seed);
  }

  /** Returns this rule with a threshold of {@code 2^exponent} steps of the weight. */
  public UpdateRule withThresholdExponent(int exponent) {
    return new UpdateRule(
        weightFormat, extraBits, exponent, period, readOut, saturation, tuning, seed);
  }

  /** Returns this rule with another update period. */
  public UpdateRule withPeriod(int steps) {
    return new UpdateRule(
        weightFormat, extraBits, thresholdExponent, steps, readOut, saturation, tuning, seed);
  }

  /** Returns this rule with another read-out. */
  public UpdateRule withReadOut(ReadOut other) {
    return new UpdateRule(
        weightFormat, extraBits, thresholdExponent, period, other, saturation, tuning, seed);
  }

  /** Returns this rule with another policy for the ends of the range. */
  public UpdateRule withSaturation(Saturation policy) {
    return new UpdateRule(
        weightFormat, extraBits, thresholdExponent, period, readOut, policy, tuning, seed);
  }

  /** Returns this rule with another way to give an update the residual's digits. */
  public UpdateRule withTuning(Tuning other) {
    return new UpdateRule(
        weightFormat, extraBits, thresholdExponent, period, readOut, saturation, other, seed);
  }

  /** Returns this rule with another seed. */
  public UpdateRule withSeed(long other) {
    return new UpdateRule(
        weightFormat, extraBits, thresholdExponent, period, readOut, saturation, tuning, other);
  }

  /**
   * Returns this rule with another fractional length of the weight and the same last digit of the
   * residual, so that only the threshold moves.
   */
  public UpdateRule withFractionalLength(int fractionalLength) {
    return new UpdateRule(
        weightFormat.withFractionalLength(fractionalLength),
        residualFractionalLength() - fractionalLength,
        thresholdExponent,
        period,
        readOut,
        saturation,
        tuning,
        seed);
  }
}
