package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableDoubleArray;
import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * Mean, central moments to order 6, extremes and the counts beside them.
 *
 * <p>NaN, infinite values and magnitudes of 2^128 and more, which {@code float} cannot carry, are
 * counted and otherwise ignored; within that range no sixth power overflows.
 *
 * <p>Counts and extremes are exact and do not depend on the order. Mean and moments are computed in
 * {@code double}: for values whose standard deviation is at least a thousandth of their mean, a
 * moment is within {@code 1e-9} of {@code E|x - mean|^p}, in one pass or combined from parts.
 *
 * <p>Not thread-safe.
 */
public final class MomentsAccumulator implements Accumulator<MomentsAccumulator, Moments> {
  private final CentralSums central = new CentralSums();
  private long zeros;
  private long positives;
  private long nonFinite;
  private double min = Double.POSITIVE_INFINITY;
  private double max = Double.NEGATIVE_INFINITY;
  private double absoluteSum;
  private double positiveSquares;

  private MomentsAccumulator() {}

  /** Returns an accumulator that has seen nothing. */
  public static MomentsAccumulator create() {
    return new MomentsAccumulator();
  }

  @Override
  public void accept(double value) {
    if (!FloatRange.holds(value)) {
      nonFinite++;
      return;
    }
    count(value);
    central.add(value);
  }

  /**
   * Adds the elements {@code from}, {@code from + stride} and so on below {@code to}, in two
   * passes: faster and more accurate than one by one.
   *
   * @throws IllegalArgumentException if the range is not within the array, or the stride not
   *     positive
   */
  public void acceptAll(float[] values, int from, int to, int stride) {
    FloatRange.check(values, from, to, stride);
    long seen = 0;
    double sum = 0;
    for (int i = from; i < to; i = FloatRange.next(i, stride, to)) {
      if (Float.isFinite(values[i])) {
        count(values[i]);
        sum += values[i];
        seen++;
      } else {
        nonFinite++;
      }
    }
    if (seen > 0) {
      central.addBatch(sum / seen, powers(values, from, to, stride, sum / seen));
    }
  }

  private static double[] powers(float[] values, int from, int to, int stride, double center) {
    double[] powers = new double[CentralSums.ORDER + 1];
    for (int i = from; i < to; i = FloatRange.next(i, stride, to)) {
      if (Float.isFinite(values[i])) {
        double distance = values[i] - center;
        double power = 1;
        for (int p = 0; p < powers.length; p++) {
          powers[p] += power;
          power *= distance;
        }
      }
    }
    return powers;
  }

  private void count(double value) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    absoluteSum += Math.abs(value);
    if (value > 0) {
      positives++;
      positiveSquares += value * value;
    } else if (value == 0) {
      zeros++;
    }
  }

  @Override
  @CanIgnoreReturnValue
  public MomentsAccumulator combine(MomentsAccumulator other) {
    central.add(other.central);
    zeros += other.zeros;
    positives += other.positives;
    nonFinite += other.nonFinite;
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
    absoluteSum += other.absoluteSum;
    positiveSquares += other.positiveSquares;
    return this;
  }

  @Override
  public Moments snapshot() {
    long count = central.count();
    boolean empty = count == 0;
    double[] moments = new double[CentralSums.ORDER - 1];
    for (int p = 2; p <= CentralSums.ORDER; p++) {
      moments[p - 2] = central.sum(p) / count;
    }
    return new Moments(
        count,
        zeros,
        positives,
        nonFinite,
        empty ? Double.NaN : min + 0.0,
        empty ? Double.NaN : max + 0.0,
        empty ? Double.NaN : central.mean(),
        ImmutableDoubleArray.copyOf(moments),
        absoluteSum / count,
        positiveSquares / positives);
  }
}
