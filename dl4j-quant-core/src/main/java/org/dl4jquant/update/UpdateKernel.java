package org.dl4jquant.update;

import org.dl4jquant.format.FixedPointFormat;
import org.jspecify.annotations.Nullable;

/**
 * One step of a block of weights, one task's worth of scratch memory and counts.
 *
 * <p>The state word of a weight holds its code W in the upper {@code bitWidth} bits and its
 * residual A, signed, in the others.
 */
final class UpdateKernel {
  /** The weights that one task takes at a time: their scratch stays in the nearest cache. */
  static final int BLOCK = 2048;

  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private final UpdateRule rule;
  private final int bits;
  private final int residualBits;
  private final long residualMask;
  private final long residualLimit;
  private final long minCode;
  private final long maxCode;
  private final double scale;
  private final double digit;
  private final boolean reads;
  private final long stepSeed;
  private final double[] updates;
  private final double[] weights;

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
    digit = Math.scalb(1.0, -rule.residualFractionalLength());
    this.reads = reads;
    stepSeed = mix(rule.seed() + (step + 1) * GOLDEN_GAMMA);
    updates = new double[Math.min(BLOCK, most)];
    weights = new double[updates.length];
  }

  static long word(UpdateRule rule, long code, long residual) {
    int bits = rule.weightFormat().bitWidth();
    return (code << (Long.SIZE - bits)) | (residual & (-1L >>> bits));
  }

  static long code(UpdateRule rule, long word) {
    return word >> (Long.SIZE - rule.weightFormat().bitWidth());
  }

  static long residual(UpdateRule rule, long word) {
    int bits = rule.weightFormat().bitWidth();
    return word << bits >> bits;
  }

  /**
   * Subtracts the updates of a range from its weights, and follows whatever else has been done to
   * them.
   *
   * @param subtracted the updates, or null if there are none
   * @param parameters the weights after the optimizer's own step; overwritten with the coarse ones
   */
  void step(
      long[] words, @Nullable ValueBuffer subtracted, ValueBuffer parameters, int from, int to) {
    boolean single = parameters.singlePrecision();
    for (int start = from; start < to; start += weights.length) {
      int count = Math.min(weights.length, to - start);
      if (subtracted != null) {
        subtracted.read(start, count, updates);
      }
      parameters.read(start, count, weights);
      for (int i = 0; i < count; i++) {
        long word = words[start + i];
        long code = word >> residualBits;
        long residual = word << bits >> bits;
        long change = change(code * scale, updates[i], weights[i], single);
        long sum = clampResidual(residual + change);
        if (reads) {
          word = readOut(code, sum, start + i);
        } else {
          word = code << residualBits | (sum & residualMask);
        }
        words[start + i] = word;
        double rest = word << bits >> bits;
        residualSumOfSquares += rest * rest;
        weights[i] = (word >> residualBits) * scale;
      }
      parameters.write(start, count, weights);
      visited += count;
    }
  }

  /** Returns what happened to a weight, in the residual's digits. */
  private long change(double before, double update, double after, boolean single) {
    double expected = single ? (float) (before - update) : before - update;
    if (expected == after) {
      if (update == 0) {
        return 0;
      }
      if (Math.abs(after) <= Double.MAX_VALUE) {
        return count(update);
      }
    }
    if (!Double.isFinite(update) || !Double.isFinite(after)) {
      skipped++;
      return 0;
    }
    long difference = limited(rule.tuning().digits((after - expected) / digit));
    outside += difference == 0 ? 0 : 1;
    return (update == 0 ? 0 : count(update)) + difference;
  }

  private long count(double update) {
    updated++;
    deadZone += Math.abs(update) < scale / 2 ? 1 : 0;
    return limited(rule.tuning().digits(-update / digit));
  }

  private long limited(long digits) {
    return Math.max(-(residualLimit >> 2), Math.min(residualLimit >> 2, digits));
  }

  private long clampResidual(long sum) {
    if (sum > residualLimit || sum < -residualLimit) {
      saturated++;
      return sum > 0 ? residualLimit : -residualLimit;
    }
    return sum;
  }

  private long readOut(long code, long sum, int element) {
    ReadOut readOut = rule.readOut();
    int exponent = rule.thresholdExponent();
    int shift = rule.extraBits() + exponent;
    long random =
        readOut == ReadOut.STOCHASTIC_ROUNDING ? mix(stepSeed + element * GOLDEN_GAMMA) : 0;
    long multiples = readOut.multiples(sum, shift, random);
    long next = code + (multiples << exponent);
    long rest = readOut.keepsResidual() ? sum - (multiples << shift) : 0;
    boolean above = next > maxCode || (next == maxCode && rest > 0 && readOut.concatenates());
    if (above || next < minCode) {
      saturated++;
      next = above ? maxCode : minCode;
      if (rule.saturation() == Saturation.WIND_UP) {
        rest = readOut.keepsResidual() ? sum - ((next - code) << rule.extraBits()) : 0;
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
