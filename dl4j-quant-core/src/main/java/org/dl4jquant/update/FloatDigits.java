package org.dl4jquant.update;

import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;

/**
 * Digits as whole numbers in floats, for the rules of which floats hold every digit: the usual step
 * then needs no conversion, so that a compiler can do many weights with one instruction ({@link
 * FloatStep}). Any other block of weights goes through {@link UpdateKernel}, with the same result.
 */
final class FloatDigits implements CarriedDigits {
  private static final int MAX_BIT_WIDTH = 16;
  private static final int MAX_FRACTIONAL_LENGTH = 96;

  private final float[] codes;
  private final float[] residuals;

  FloatDigits(int length) {
    codes = new float[length];
    residuals = new float[length];
  }

  /**
   * Returns whether every residual that the rule can leave is a whole number below {@link
   * FloatStep#MAX_DIGITS}, and the read-out is one that {@link FloatStep} knows.
   */
  static boolean suits(UpdateRule rule) {
    return rule.period() == 1
        && rule.tuning() == Tuning.ROUND
        && rule.saturation() != Saturation.WIND_UP
        && FloatStep.knows(rule.readOut())
        && 1L << (rule.extraBits() + rule.thresholdExponent()) <= FloatStep.MAX_DIGITS
        && rule.weightFormat().bitWidth() <= MAX_BIT_WIDTH
        && Math.abs(rule.weightFormat().fractionalLength()) <= MAX_FRACTIONAL_LENGTH
        && Math.abs(rule.residualFractionalLength()) <= MAX_FRACTIONAL_LENGTH;
  }

  @Override
  public int length() {
    return codes.length;
  }

  @Override
  public long code(int index) {
    return (long) codes[index];
  }

  @Override
  public long residual(int index) {
    return (long) residuals[index];
  }

  @Override
  public void set(int index, long code, long residual) {
    if (Math.abs(residual) > FloatStep.MAX_DIGITS) {
      throw Checks.violated(
          "residual", "be at most " + FloatStep.MAX_DIGITS + " with this rule", residual);
    }
    codes[index] = code;
    residuals[index] = residual;
  }

  @Override
  public UpdateStatistics step(
      UpdateRule rule,
      long step,
      boolean reads,
      @Nullable ValueBuffer updates,
      ValueBuffer weights,
      int from,
      int to) {
    UpdateKernel general = null;
    FloatStep usual = new FloatStep(rule, Math.min(FloatStep.BLOCK, to - from));
    for (int start = from; start < to; start += FloatStep.BLOCK) {
      int count = Math.min(FloatStep.BLOCK, to - start);
      boolean done =
          updates instanceof FloatValues ownUpdates
              && weights instanceof FloatValues ownWeights
              && usual.step(codes, residuals, ownUpdates, ownWeights, start, count);
      if (!done) {
        general = general == null ? new UpdateKernel(rule, step, reads, to - from) : general;
        unusual(rule, general, updates, weights, start, count);
      }
    }
    UpdateStatistics statistics = usual.statistics();
    return general == null ? statistics : statistics.and(general.statistics());
  }

  private void unusual(
      UpdateRule rule,
      UpdateKernel kernel,
      @Nullable ValueBuffer updates,
      ValueBuffer weights,
      int start,
      int count) {
    int bits = rule.weightFormat().bitWidth();
    long[] words = new long[count];
    for (int i = 0; i < count; i++) {
      words[i] = StateWord.of(code(start + i), residual(start + i), bits);
    }
    kernel.step(words, 0, updates, weights, start, count);
    for (int i = 0; i < count; i++) {
      set(start + i, StateWord.code(words[i], bits), StateWord.residual(words[i], bits));
    }
  }
}
