package org.dl4jquant.update;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one tensor with everything that their updates left below the last digit.
 *
 * <p>Each weight has a code W and a residual A; the fine weight is {@code V = (W * 2^extraBits + A)
 * * 2^-residualFractionalLength}. Unless something saturates, V is exactly the weight it started
 * from plus the sum of all updates, each rounded to the residual's last digit, whatever the
 * read-out (those without residual excepted), the order and the number of threads.
 *
 * <p>Memory: 8 bytes per weight, and 48 KiB for each thread during a step. Not thread-safe; big
 * tensors are worked on by the common fork-join pool, with the same bits as by one thread.
 *
 * <p>Sources: US20190122106A1, US20230102087A1 (accumulation buffer), US20200012936A1 (residual
 * gradient), arXiv 1810.05486 (Kahan-summed gradient descent).
 */
public final class FineWeights {
  private static final int TASK = 1 << 16;

  private CarriedDigits digits;
  private UpdateRule rule;
  private long steps;

  private FineWeights(UpdateRule rule, long steps, CarriedDigits digits) {
    this.rule = rule;
    this.steps = steps;
    this.digits = digits;
  }

  /**
   * Takes over the weights and puts their coarse values in their place.
   *
   * <p>The fine weights start at the given ones, rounded to the residual's last digit; the coarse
   * ones are those to the nearest step (with {@link ReadOut#FLOOR}, to the next step below). A
   * weight outside the format starts at the end of its range.
   *
   * @throws IllegalArgumentException if a weight is not finite; then nothing has been overwritten
   */
  public static FineWeights start(UpdateRule rule, ValueBuffer weights) {
    CarriedDigits digits = CarriedDigits.of(rule, weights.length());
    start(rule, digits, weights);
    return new FineWeights(rule, 0, digits);
  }

  /** Puts the start at the given weights into {@code digits}, and the coarse weights in place. */
  static void start(UpdateRule rule, CarriedDigits digits, ValueBuffer weights) {
    long smallest = rule.weightFormat().minCode() << rule.extraBits();
    long largest = rule.weightFormat().maxCode() << rule.extraBits();
    int fractionalLength = rule.residualFractionalLength();
    double[] block = new double[UpdateKernel.BLOCK];
    for (int from = 0; from < digits.length(); from += block.length) {
      int count = Math.min(block.length, digits.length() - from);
      weights.read(from, count, block);
      for (int i = 0; i < count; i++) {
        if (!Double.isFinite(block[i])) {
          throw Checks.violated("weights[" + (from + i) + "]", "be finite", block[i]);
        }
        double rounded = Math.rint(Math.scalb(block[i], fractionalLength));
        start(
            rule,
            digits,
            from + i,
            (long) Math.max((double) smallest, Math.min((double) largest, rounded)));
      }
    }
    write(rule, digits, weights);
  }

  private static void start(UpdateRule rule, CarriedDigits digits, int index, long sum) {
    Rounding rounding = rule.readOut() == ReadOut.FLOOR ? Rounding.FLOOR : Rounding.HALF_UP;
    long code = rule.weightFormat().saturate(rounding.shiftRight(sum, rule.extraBits()));
    long rest = rule.readOut().keepsResidual() ? sum - (code << rule.extraBits()) : 0;
    digits.set(index, code, rest);
  }

  /**
   * Returns weights that were archived; their states follow by {@link #restore}.
   *
   * @param steps the number of steps so far
   */
  static FineWeights resume(UpdateRule rule, long steps, int length) {
    return new FineWeights(rule, steps, CarriedDigits.of(rule, length));
  }

  /**
   * Follows one step of an optimizer, {@code weights -= updates}.
   *
   * <p>A weight that is not what this step should have made of it has been changed by something
   * else since (a constraint, another listener, a person); the difference becomes part of the fine
   * weight. An update that is not finite is skipped and counted, and its weight restored.
   *
   * @param updates what the optimizer has subtracted
   * @param weights the weights after the optimizer's step; overwritten with the coarse ones
   * @throws ArithmeticException if a weight left its range and the rule says {@link
   *     Saturation#FAIL}; the step has then been done as with {@link Saturation#CLAMP}
   */
  @CanIgnoreReturnValue
  public UpdateStatistics subtract(ValueBuffer updates, ValueBuffer weights) {
    checkLength("updates", updates);
    long step = steps++;
    return pass(updates, weights, step, steps % rule.period() == 0);
  }

  /**
   * Makes differences between {@code weights} and the coarse weights part of the fine ones, reads
   * out, and overwrites {@code weights} with the coarse ones. Not a step.
   *
   * @throws ArithmeticException as {@link #subtract}
   */
  @CanIgnoreReturnValue
  public UpdateStatistics reconcile(ValueBuffer weights) {
    return pass(null, weights, -1, true);
  }

  private UpdateStatistics pass(
      @Nullable ValueBuffer updates, ValueBuffer weights, long step, boolean reads) {
    checkLength("weights", weights);
    UpdateStatistics statistics =
        inTasks(
            task -> {
              int from = task * TASK;
              int to = Math.min(from + TASK, length());
              return digits.step(rule, step, reads, updates, weights, from, to);
            });
    if (rule.saturation() == Saturation.FAIL && statistics.saturated() > 0) {
      throw new ArithmeticException(
          statistics.saturated() + " weights left the range of " + rule.weightFormat());
    }
    return statistics;
  }

  private UpdateStatistics inTasks(IntFunction<UpdateStatistics> work) {
    int tasks = (length() + TASK - 1) / TASK;
    if (tasks == 1) {
      return work.apply(0);
    }
    UpdateStatistics[] parts =
        IntStream.range(0, tasks).parallel().mapToObj(work).toArray(UpdateStatistics[]::new);
    return Arrays.stream(parts).reduce(UpdateStatistics.NONE, UpdateStatistics::and);
  }

  /**
   * Changes the fractional length of the weights; the fine weights stay what they are, so the
   * residual has more digits or fewer, and the weights are read out to the nearest step (with
   * {@link ReadOut#FLOOR}, to the next below). Fine weights outside the new range go to its end.
   *
   * @return how many fine weights were outside
   */
  @CanIgnoreReturnValue
  public long rescale(int fractionalLength) {
    UpdateRule next = rule.withFractionalLength(fractionalLength);
    long smallest = next.weightFormat().minCode() << next.extraBits();
    long largest = next.weightFormat().maxCode() << next.extraBits();
    CarriedDigits rescaled = CarriedDigits.of(next, length());
    long clipped = 0;
    for (int i = 0; i < length(); i++) {
      long sum = sum(i);
      long kept = Math.max(smallest, Math.min(largest, sum));
      clipped += kept == sum ? 0 : 1;
      start(next, rescaled, i, kept);
    }
    digits = rescaled;
    rule = next;
    return clipped;
  }

  /** Overwrites {@code weights} with the coarse weights. */
  public void write(ValueBuffer weights) {
    checkLength("weights", weights);
    write(rule, digits, weights);
  }

  private static void write(UpdateRule rule, CarriedDigits digits, ValueBuffer weights) {
    double scale = rule.weightFormat().scale();
    copy(digits.length(), weights, i -> digits.code(i) * scale);
  }

  /** Overwrites {@code values} with the fine weights, rounded to its precision. */
  public void writeFine(ValueBuffer values) {
    checkLength("values", values);
    copy(length(), values, this::fineWeight);
  }

  private static void copy(int length, ValueBuffer values, IntToDouble value) {
    double[] block = new double[UpdateKernel.BLOCK];
    for (int from = 0; from < length; from += block.length) {
      int count = Math.min(block.length, length - from);
      for (int i = 0; i < count; i++) {
        block[i] = value.at(from + i);
      }
      values.write(from, count, block);
    }
  }

  /** Returns whether {@code weights} are the coarse weights, every one of them. */
  public boolean matches(ValueBuffer weights) {
    if (weights.length() != length()) {
      return false;
    }
    double scale = rule.weightFormat().scale();
    double[] block = new double[UpdateKernel.BLOCK];
    for (int from = 0; from < length(); from += block.length) {
      int count = Math.min(block.length, length() - from);
      weights.read(from, count, block);
      for (int i = 0; i < count; i++) {
        if (block[i] != code(from + i) * scale) {
          return false;
        }
      }
    }
    return true;
  }

  /** Returns the number of weights. */
  public int length() {
    return digits.length();
  }

  /** Returns how the weights take their updates. */
  public UpdateRule rule() {
    return rule;
  }

  /** Returns the number of steps so far. */
  public long steps() {
    return steps;
  }

  /** Returns the code of the coarse weight. */
  public long code(int index) {
    return digits.code(index);
  }

  /** Returns the residual in units of its last digit. */
  public long residual(int index) {
    return digits.residual(index);
  }

  /** Returns the fine weight in units of the residual's last digit. */
  public long sum(int index) {
    return (code(index) << rule.extraBits()) + residual(index);
  }

  /** Returns the fine weight; exact where a double carries it, which it does up to 53 bits. */
  public double fineWeight(int index) {
    return Math.scalb((double) sum(index), -rule.residualFractionalLength());
  }

  /** Fills {@code words} with the states from {@code from} on, as archives keep them. */
  void archive(int from, long[] words, int count) {
    int bits = rule.weightFormat().bitWidth();
    for (int i = 0; i < count; i++) {
      words[i] = StateWord.of(code(from + i), residual(from + i), bits);
    }
  }

  /**
   * Does the reverse of {@link #archive}.
   *
   * @throws IllegalArgumentException if the rule cannot have left such a state
   */
  void restore(int from, long[] words, int count) {
    int bits = rule.weightFormat().bitWidth();
    for (int i = 0; i < count; i++) {
      digits.set(from + i, StateWord.code(words[i], bits), StateWord.residual(words[i], bits));
    }
  }

  private void checkLength(String parameter, ValueBuffer values) {
    if (values.length() != length()) {
      throw Checks.violated(parameter, "have " + length() + " values", values.length());
    }
  }

  /** A value for each index. */
  private interface IntToDouble {
    double at(int index);
  }
}
