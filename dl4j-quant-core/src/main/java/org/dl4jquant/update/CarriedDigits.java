package org.dl4jquant.update;

import org.jspecify.annotations.Nullable;

/**
 * The code and the residual of every weight of a tensor, in 8 bytes each. Different ranges may be
 * worked on by different threads at once.
 */
sealed interface CarriedDigits permits LongDigits, FloatDigits {
  /** Returns digits that are all 0, in the form that is fastest for the rule. */
  static CarriedDigits of(UpdateRule rule, int length) {
    return FloatDigits.suits(rule) ? new FloatDigits(length) : new LongDigits(rule, length);
  }

  int length();

  long code(int index);

  long residual(int index);

  void set(int index, long code, long residual);

  /**
   * One step of a range; see {@link UpdateKernel} for the parameters.
   *
   * @param reads whether the weights are read out in this step
   */
  UpdateStatistics step(
      UpdateRule rule,
      long step,
      boolean reads,
      @Nullable ValueBuffer updates,
      ValueBuffer weights,
      int from,
      int to);
}
