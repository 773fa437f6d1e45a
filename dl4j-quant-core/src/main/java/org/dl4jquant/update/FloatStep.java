package org.dl4jquant.update;

import org.dl4jquant.format.FixedPointFormat;

/**
 * The usual step of a block of weights in floats: every weight is what the optimizer has made of
 * it, and stays inside its range.
 *
 * <p>All numbers are whole and below 2^22, or such numbers times a power of two, so that every
 * operation is exact but for the two that are to round: the optimizer's own subtraction, and the
 * addition of {@link #TO_WHOLE}. The loops have no conversion, branch or call, and few operations
 * each: that is what the just-in-time compiler needs to use vector instructions.
 */
final class FloatStep {
  /** The weights of one block: their scratch memory stays in the nearest cache. */
  static final int BLOCK = 512;

  /** The largest residual, and the largest update in digits. */
  static final long MAX_DIGITS = 1 << 20;

  /** Added and subtracted again, it rounds to the nearest whole number, ties to even. */
  private static final float TO_WHOLE = 0x1.8p23f;

  private static final float BELOW_HALF = 0x1.fffffcp-2f;
  private static final float BELOW_ONE = 0x1.fffffep-1f;
  private static final int LANES = 16;

  private final boolean truncates;
  private final float scale;
  private final float perHalfStep;
  private final float digitsPerUnit;
  private final float digit;
  private final float largestUpdate;
  private final float middle;
  private final float halfRange;
  private final float digitsPerMultiple;
  private final float multiplesPerDigit;
  private final float stepsPerMultiple;
  private final float readOutOffset;

  private final float[] update;
  private final float[] weight;
  private final float[] code;
  private final float[] residual;
  private final float[] sum;
  private final float[] move;
  private final float[] scratch;
  private final float[] nonzero;
  private final float[] atLeastHalfStep;
  private final float[] moved;
  private final float[] squares;
  private long visited;

  FloatStep(UpdateRule rule, int most) {
    FixedPointFormat format = rule.weightFormat();
    int shift = rule.extraBits() + rule.thresholdExponent();
    truncates = rule.readOut() == ReadOut.TRUNC_THRESHOLD;
    scale = (float) format.scale();
    perHalfStep = 2 / scale;
    digitsPerUnit = Math.scalb(1f, rule.residualFractionalLength());
    digit = 1 / digitsPerUnit;
    largestUpdate = MAX_DIGITS * digit;
    // The last code is left to the general step: weights stay at it in a way of their own.
    middle = (format.minCode() + format.maxCode() - 1) / 2f;
    halfRange = (format.maxCode() - 1 - format.minCode()) / 2f;
    digitsPerMultiple = Math.scalb(1f, shift);
    multiplesPerDigit = 1 / digitsPerMultiple;
    stepsPerMultiple = Math.scalb(1f, rule.thresholdExponent());
    // Half a digit keeps what is to be rounded off every tie.
    readOutOffset = multiplesPerDigit / 2 - (rule.readOut() == ReadOut.NEAREST ? 0 : 0.5f);
    update = new float[most];
    weight = new float[most];
    code = new float[most];
    residual = new float[most];
    sum = new float[most];
    move = new float[most];
    scratch = new float[most];
    nonzero = new float[most];
    atLeastHalfStep = new float[most];
    moved = new float[most];
    squares = new float[most];
  }

  static boolean knows(ReadOut readOut) {
    return readOut == ReadOut.NEAREST
        || readOut == ReadOut.FLOOR
        || readOut == ReadOut.TRUNC_THRESHOLD;
  }

  /**
   * Does the step if it is a usual one for all the weights of a block.
   *
   * @return whether it was done; if not, nothing has been changed
   */
  boolean step(
      float[] codes,
      float[] residuals,
      FloatValues updates,
      FloatValues weights,
      int start,
      int count) {
    updates.read(start, count, update);
    weights.read(start, count, weight);
    System.arraycopy(codes, start, code, 0, count);
    System.arraycopy(residuals, start, residual, 0, count);
    round(count);
    add(count);
    readOut(count);
    unexpected(count);
    outside(count);
    if (!allZero(scratch, count)) {
      return false;
    }
    leave(count);
    countUpdates(count);
    countMoves(count);
    visited += count;
    System.arraycopy(code, 0, codes, start, count);
    System.arraycopy(sum, 0, residuals, start, count);
    weights.write(start, count, weight);
    return true;
  }

  /** Makes {@code sum} the update's nearest digits, and {@code scratch} what is left of it. */
  private void round(int count) {
    for (int i = 0; i < count; i++) {
      float exact = update[i] * digitsPerUnit;
      float whole = (exact + TO_WHOLE) - TO_WHOLE;
      sum[i] = whole;
      scratch[i] = exact - whole;
    }
  }

  /** Makes {@code sum} the residual less the update, of which ties go down. */
  private void add(int count) {
    for (int i = 0; i < count; i++) {
      float tie = ((-2 * scratch[i] - BELOW_HALF) + TO_WHOLE) - TO_WHOLE;
      sum[i] = residual[i] + (Math.max(0f, tie) - sum[i]);
    }
  }

  /** Makes {@code move} the multiples that the weight takes out of {@code sum}. */
  private void readOut(int count) {
    for (int i = 0; i < count; i++) {
      move[i] = ((sum[i] * multiplesPerDigit + readOutOffset) + TO_WHOLE) - TO_WHOLE;
    }
    if (truncates) {
      for (int i = 0; i < count; i++) {
        float up = ((sum[i] * multiplesPerDigit - readOutOffset) + TO_WHOLE) - TO_WHOLE;
        move[i] = Math.max(0f, move[i]) + Math.min(0f, up);
      }
    }
    for (int i = 0; i < count; i++) {
      sum[i] -= move[i] * digitsPerMultiple;
      move[i] *= stepsPerMultiple;
    }
  }

  /** Makes {@code scratch} the distance of a weight from what the optimizer makes of it. */
  private void unexpected(int count) {
    for (int i = 0; i < count; i++) {
      scratch[i] = Math.abs(code[i] * scale - update[i] - weight[i]);
    }
  }

  /** Adds to {@code scratch} where the update or the weight is too large, or not a number. */
  private void outside(int count) {
    for (int i = 0; i < count; i++) {
      scratch[i] += Math.max(0f, Math.abs(update[i]) - largestUpdate);
    }
    for (int i = 0; i < count; i++) {
      scratch[i] += Math.max(0f, Math.abs(code[i] + move[i] - middle) - halfRange);
    }
  }

  /** Overwrites the values, which are not negative. */
  private static boolean allZero(float[] values, int count) {
    int length = count;
    while (length > LANES) {
      int half = (length + 1) / 2;
      fold(values, half, length - half);
      length = half;
    }
    float largest = 0;
    for (int i = 0; i < length; i++) {
      largest = Math.max(largest, values[i]);
    }
    return largest == 0;
  }

  private static void fold(float[] values, int half, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = Math.max(values[i], values[half + i]);
    }
  }

  private void leave(int count) {
    for (int i = 0; i < count; i++) {
      code[i] += move[i];
    }
    for (int i = 0; i < count; i++) {
      weight[i] = code[i] * scale;
    }
  }

  private void countUpdates(int count) {
    for (int i = 0; i < count; i++) {
      nonzero[i] += Math.min(Math.abs(update[i]) * 0x1p127f * 0x1p22f, 1f);
    }
    for (int i = 0; i < count; i++) {
      float above = Math.max(Math.abs(update[i]) * perHalfStep - BELOW_ONE, 0f);
      atLeastHalfStep[i] += Math.min(above * 0x1p24f, 1f);
    }
  }

  private void countMoves(int count) {
    for (int i = 0; i < count; i++) {
      moved[i] += Math.min(Math.abs(move[i]), 1f);
    }
    for (int i = 0; i < count; i++) {
      squares[i] += sum[i] * sum[i];
    }
  }

  UpdateStatistics statistics() {
    long updates = (long) total(nonzero);
    return new UpdateStatistics(
        visited,
        updates,
        updates - (long) total(atLeastHalfStep),
        (long) total(moved),
        0,
        0,
        0,
        total(squares) * digit * digit);
  }

  private static double total(float[] values) {
    double total = 0;
    for (float value : values) {
      total += value;
    }
    return total;
  }
}
