package org.dl4jquant.update;

import org.jspecify.annotations.Nullable;

/** Digits of any rule: code and residual share a {@code long}. */
final class LongDigits implements CarriedDigits {
  private final int bits;
  private final long[] words;

  LongDigits(UpdateRule rule, int length) {
    bits = rule.weightFormat().bitWidth();
    words = new long[length];
  }

  @Override
  public int length() {
    return words.length;
  }

  @Override
  public long code(int index) {
    return StateWord.code(words[index], bits);
  }

  @Override
  public long residual(int index) {
    return StateWord.residual(words[index], bits);
  }

  @Override
  public void set(int index, long code, long residual) {
    words[index] = StateWord.of(code, residual, bits);
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
    UpdateKernel kernel = new UpdateKernel(rule, step, reads, to - from);
    for (int start = from; start < to; start += UpdateKernel.BLOCK) {
      int count = Math.min(UpdateKernel.BLOCK, to - start);
      kernel.step(words, start, updates, weights, start, count);
    }
    return kernel.statistics();
  }
}
