package org.dl4jquant.update;

import org.dl4jquant.format.FixedPointFormat;
import org.jspecify.annotations.Nullable;

/**
 * One step of a block of weights, whatever the rule, the updates and what else has been done to the
 * weights; with one task's worth of scratch memory and counts.
 *
 * <p>The state of a weight is a {@link StateWord}.
 */
final class UpdateKernel {
  /** The weights that one task takes at a time: their scratch stays in the nearest cache. */
  static final int BLOCK = 1024;

  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private final UpdateRule rule;
  private final int bits;
  private final int residualBits;
  private final long residualMask;
  private final long residualLimit;
  private final long minCode;
  private final long maxCode;
  private final double scale;
  private final double halfStep;
  private final double digit;
  private final double digitsPerUnit;
  private final double tuningOffset;
  private final double updateLimit;
  private final long halfStepBits;
  private final long codeSpan;
  private final long residualSpan;
  private final int exponent;
  private final int shift;
  private final boolean reads;
  private final boolean stochastic;
  private final long readOutBias;
  private final long negativeBias;
  private final long keptResidual;
  private final long stepSeed;
  private final double[] updates;
  private final double[] weights;
  private final float[] floats;

  private long visited;
  private long updated;
  private long deadZone;
  private long moved;
  private long saturated;
  private long skipped;
  private long outside;
  private double residualSumOfSquares;

  /**
   * @param step the number of this step, from 0
   * @param reads whether the weights are read out in this step
   * @param most the most weights that will be asked for at once
   */
  UpdateKernel(UpdateRule rule, long step, boolean reads, int most) {
    this.rule = rule;
    FixedPointFormat format = rule.weightFormat();
    bits = format.bitWidth();
    residualBits = Long.SIZE - bits;
    residualMask = -1L >>> bits;
    residualLimit = residualMask >>> 1;
    minCode = format.minCode();
    maxCode = format.maxCode();
    scale = format.scale();
    halfStep = scale / 2;
    digit = Math.scalb(1.0, -rule.residualFractionalLength());
    digitsPerUnit = Math.scalb(1.0, rule.residualFractionalLength());
    tuningOffset = rule.tuning().offset();
    updateLimit = (residualLimit >> 3) * digit;
    halfStepBits = Double.doubleToRawLongBits(halfStep);
    codeSpan = maxCode - minCode + Long.MIN_VALUE;
    residualSpan = 2 * residualLimit + Long.MIN_VALUE;
    exponent = rule.thresholdExponent();
    shift = rule.extraBits() + exponent;
    this.reads = reads;
    ReadOut readOut = rule.readOut();
    stochastic = readOut == ReadOut.STOCHASTIC_ROUNDING;
    readOutBias = readOut.bias(shift);
    negativeBias = readOut.negativeBias(shift);
    keptResidual = readOut.keepsResidual() ? -1L : 0;
    stepSeed = mix(rule.seed() + (step + 1) * GOLDEN_GAMMA);
    updates = new double[Math.min(BLOCK, most)];
    weights = new double[updates.length];
    floats = new float[updates.length];
  }

  /**
   * Subtracts the updates of a block from its weights, and follows whatever else has been done to
   * them.
   *
   * @param words the states of the weights, from {@code at} on
   * @param subtracted the updates, or null if there are none
   * @param parameters the weights after the optimizer's own step; overwritten with the coarse ones
   * @param start the index of the block's first weight in the buffers
   * @param count of the block's weights, at most {@link #BLOCK}
   */
  void step(
      long[] words,
      int at,
      @Nullable ValueBuffer subtracted,
      ValueBuffer parameters,
      int start,
      int count) {
    boolean single = parameters.singlePrecision();
    if (subtracted != null) {
      read(subtracted, start, count, updates);
    }
    read(parameters, start, count, weights);
    if (reads && !stochastic) {
      ordinary(words, at, start, count, single);
    } else {
      for (int i = 0; i < count; i++) {
        element(words, at + i, start + i, i, single);
      }
    }
    write(parameters, start, count);
    visited += count;
  }

  private void read(ValueBuffer values, int start, int count, double[] into) {
    if (values instanceof FloatValues own) {
      own.read(start, count, into, floats);
    } else {
      values.read(start, count, into);
    }
  }

  private void write(ValueBuffer values, int start, int count) {
    if (values instanceof FloatValues own) {
      own.write(start, count, weights, floats);
    } else {
      values.write(start, count, weights);
    }
  }

  /**
   * The hot loop: what nearly every weight needs, without calls, divisions or branches that
   * training would make hard to predict. The rest goes to {@link #element}, which does the same in
   * general.
   */
  private void ordinary(long[] words, int at, int start, int count, boolean single) {
    double squares = 0;
    long codesMoved = 0;
    long zeros = 0;
    long small = 0;
    long others = 0;
    for (int i = 0; i < count; i++) {
      long word = words[at + i];
      long code = word >> residualBits;
      double update = updates[i];
      double exact = code * scale - update;
      double expected = single ? (float) exact : exact;
      double magnitude = Math.abs(update);
      long digits = (long) Math.floor(tuningOffset - update * digitsPerUnit);
      long sum = (word << bits >> bits) + digits;
      long multiples = (sum + readOutBias + ((sum >> (Long.SIZE - 1)) & negativeBias)) >> shift;
      long next = code + (multiples << exponent);
      boolean inside =
          next - minCode + Long.MIN_VALUE < codeSpan
              && sum + residualLimit + Long.MIN_VALUE <= residualSpan;
      if (expected == weights[i] && magnitude < updateLimit && inside) {
        if (update == 0) {
          zeros++;
        }
        small += (Double.doubleToRawLongBits(magnitude) - halfStepBits) >>> (Long.SIZE - 1);
        codesMoved += isNonzero(next ^ code);
        long rest = (sum - (multiples << shift)) & keptResidual;
        squares += (double) rest * rest;
        words[at + i] = next << residualBits | (rest & residualMask);
        weights[i] = next * scale;
      } else {
        others++;
        element(words, at + i, start + i, i, single);
      }
    }
    residualSumOfSquares += squares;
    moved += codesMoved;
    updated += count - others - zeros;
    deadZone += small - zeros;
  }

  /** One weight, whatever its update, its value and the read-out. */
  private void element(long[] words, int at, int index, int i, boolean single) {
    long word = words[at];
    long code = word >> residualBits;
    double update = updates[i];
    double exact = code * scale - update;
    double expected = single ? (float) exact : exact;
    long sum = clampResidual((word << bits >> bits) + change(update, weights[i], expected));
    if (reads) {
      word = readOut(code, sum, index);
    } else {
      word = code << residualBits | (sum & residualMask);
    }
    words[at] = word;
    double rest = word << bits >> bits;
    residualSumOfSquares += rest * rest;
    weights[i] = (word >> residualBits) * scale;
  }

  /** Returns 1 or 0 without a branch, which training would make hard to predict. */
  private static long isNonzero(long value) {
    return (value | -value) >>> (Long.SIZE - 1);
  }

  /** Returns what happened to a weight, in the residual's digits. */
  private long change(double update, double after, double expected) {
    if (!Double.isFinite(update) || !Double.isFinite(after)) {
      skipped++;
      return 0;
    }
    long difference = limited(rule.tuning().digits((after - expected) * digitsPerUnit));
    outside += difference == 0 ? 0 : 1;
    return (update == 0 ? 0 : count(update)) + difference;
  }

  private long count(double update) {
    updated++;
    deadZone += Math.abs(update) < halfStep ? 1 : 0;
    return limited(rule.tuning().digits(-update * digitsPerUnit));
  }

  private long limited(long digits) {
    long limit = residualLimit >> 2;
    return Math.max(-limit, Math.min(limit, digits));
  }

  private long clampResidual(long sum) {
    if (sum > residualLimit || sum < -residualLimit) {
      saturated++;
      return sum > 0 ? residualLimit : -residualLimit;
    }
    return sum;
  }

  private long readOut(long code, long sum, int index) {
    ReadOut readOut = rule.readOut();
    long bias =
        stochastic ? mix(stepSeed + index * GOLDEN_GAMMA) & ((1L << shift) - 1) : readOutBias;
    long multiples = (sum + bias + (sum < 0 ? negativeBias : 0)) >> shift;
    long next = code + (multiples << exponent);
    long rest = (sum - (multiples << shift)) & keptResidual;
    boolean above = next > maxCode || (next == maxCode && rest > 0 && readOut.concatenates());
    if (above || next < minCode) {
      saturated++;
      next = above ? maxCode : minCode;
      if (rule.saturation() == Saturation.WIND_UP) {
        rest = (sum - ((next - code) << rule.extraBits())) & keptResidual;
      } else if (readOut.concatenates()) {
        rest = 0;
      }
    }
    moved += next == code ? 0 : 1;
    return next << residualBits | (rest & residualMask);
  }

  UpdateStatistics statistics() {
    return new UpdateStatistics(
        visited,
        updated,
        deadZone,
        moved,
        saturated,
        skipped,
        outside,
        residualSumOfSquares * digit * digit);
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
