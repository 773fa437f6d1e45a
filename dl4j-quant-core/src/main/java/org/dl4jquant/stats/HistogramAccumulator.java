package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableLongArray;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;
import org.dl4jquant.internal.Checks;

/**
 * A histogram in fixed memory whose range doubles until it holds what is seen.
 *
 * <p>Bin {@code k}, from {@code -bins/2} to {@code bins/2 - 1}, counts the values from {@code k *
 * 2^e} to, excluded, {@code (k + 1) * 2^e}. The exponent {@code e} is the smallest whose range
 * holds every value, but never so small that the range is below 2^-126, so that denormals do not
 * drive it. Widening joins bin {@code k} into {@code k >> 1}, which is where its values belong;
 * therefore exponent and counts depend neither on the order of the values nor on how they were
 * split among histograms: combining is exact, bit for bit.
 *
 * <p>NaN, infinite values and magnitudes of 2^128 and more, which {@code float} cannot carry, are
 * counted apart and otherwise ignored. Not thread-safe.
 */
public final class HistogramAccumulator implements Accumulator<HistogramAccumulator, Histogram> {
  /** The number of bins unless asked otherwise: 16 KiB. */
  public static final int DEFAULT_BINS = 2048;

  private final long[] counts;
  private final int half;
  private int exponent;
  private long nonFinite;

  private HistogramAccumulator(int bins) {
    counts = new long[Histogram.checkedBins(bins)];
    half = bins / 2;
    exponent = Histogram.smallestExponent(bins);
  }

  /** Returns a histogram of {@value #DEFAULT_BINS} bins that has seen nothing. */
  public static HistogramAccumulator create() {
    return create(DEFAULT_BINS);
  }

  /**
   * Returns a histogram that has seen nothing.
   *
   * @param bins a power of two from 4 to 65536
   */
  public static HistogramAccumulator create(int bins) {
    return new HistogramAccumulator(bins);
  }

  /** Returns a histogram that has seen what {@code seen} tells. */
  static HistogramAccumulator of(Histogram seen) {
    HistogramAccumulator histogram = new HistogramAccumulator(seen.counts().length());
    for (int i = 0; i < histogram.counts.length; i++) {
      histogram.counts[i] = seen.counts().get(i);
    }
    histogram.exponent = seen.exponent();
    histogram.nonFinite = seen.nonFinite();
    return histogram;
  }

  @Override
  public void accept(double value) {
    if (!FloatRange.holds(value)) {
      nonFinite++;
      return;
    }
    int bin = bin(value);
    if (bin < -half || bin >= half) {
      widenTo(exponentFor(value));
      bin = bin(value);
    }
    counts[bin + half]++;
  }

  /**
   * Adds the elements {@code from}, {@code from + stride} and so on below {@code to}.
   *
   * @throws IllegalArgumentException if the range is not within the array, or the stride not
   *     positive
   */
  public void acceptAll(float[] values, int from, int to, int stride) {
    FloatRange.check(values, from, to, stride);
    double inverse = Math.scalb(1.0, -exponent);
    float range = Math.scalb((float) half, exponent); // infinite at the largest exponent
    for (int i = from; i < to; i = FloatRange.next(i, stride, to)) {
      float value = values[i];
      if (Math.abs(value) < range) {
        counts[(int) Math.floor(value * inverse) + half]++;
      } else {
        accept(value);
        inverse = Math.scalb(1.0, -exponent);
        range = Math.scalb((float) half, exponent);
      }
    }
  }

  /** Counts a range of elements and tells beside what no histogram knows. */
  void acceptAll(float[] values, int from, int to, int stride, Extremes seen) {
    FloatRange.check(values, from, to, stride);
    double inverse = Math.scalb(1.0, -exponent);
    float range = Math.scalb((float) half, exponent);
    float low = Float.POSITIVE_INFINITY;
    float high = Float.NEGATIVE_INFINITY;
    int nonZero = 0;
    int finite = 0;
    for (int i = from; i < to; i = FloatRange.next(i, stride, to)) {
      float value = values[i];
      if (Math.abs(value) < range) {
        counts[(int) Math.floor(value * inverse) + half]++;
      } else {
        accept(value);
        inverse = Math.scalb(1.0, -exponent);
        range = Math.scalb((float) half, exponent);
        if (!FloatRange.holds(value)) {
          continue;
        }
      }
      int bits = Float.floatToRawIntBits(value) << 1;
      nonZero += (bits | -bits) >>> 31; // without a branch, which no ReLU output lets predict
      finite++;
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    seen.zeros += finite - nonZero;
    seen.min = Math.min(seen.min, low);
    seen.max = Math.max(seen.max, high);
  }

  /** The smallest and the largest value, and how many zeros. */
  static final class Extremes {
    private long zeros;
    private double min = Double.POSITIVE_INFINITY;
    private double max = Double.NEGATIVE_INFINITY;

    static Extremes of(Moments moments) {
      Extremes seen = new Extremes();
      seen.zeros = moments.zeros();
      if (moments.count() > 0) {
        seen.min = moments.min();
        seen.max = moments.max();
      }
      return seen;
    }

    void accept(double value) {
      zeros += value == 0 ? 1 : 0;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }

    void combine(Extremes other) {
      zeros += other.zeros;
      min = Math.min(min, other.min);
      max = Math.max(max, other.max);
    }

    long zeros() {
      return zeros;
    }

    double min() {
      return min;
    }

    double max() {
      return max;
    }
  }

  /** Returns the bin of {@code value}; one beyond the range says only on which side. */
  private int bin(double value) {
    int bin = (int) Math.floor(value * Math.scalb(1.0, -exponent));
    return value < 0 ? Math.min(bin, -1) : bin; // a product may vanish, not its sign
  }

  /** Returns the smallest exponent whose range holds a value that is not 0. */
  private int exponentFor(double value) {
    int above = Math.getExponent(value) + 1;
    boolean lowerEdge = value == -Math.scalb(1.0, above - 1);
    return (lowerEdge ? above - 1 : above) - Integer.numberOfTrailingZeros(half);
  }

  private void widenTo(int wider) {
    int shift = Math.min(31, wider - exponent);
    if (shift <= 0) {
      return;
    }
    long[] old = counts.clone();
    Arrays.fill(counts, 0);
    for (int i = 0; i < old.length; i++) {
      counts[((i - half) >> shift) + half] += old[i];
    }
    exponent = wider;
  }

  /**
   * Adds everything that {@code other} has seen and returns this.
   *
   * @throws IllegalArgumentException if the other has another number of bins
   */
  @Override
  @CanIgnoreReturnValue
  public HistogramAccumulator combine(HistogramAccumulator other) {
    Checks.that(
        other.counts.length == counts.length,
        "other",
        "have " + counts.length + " bins like this",
        other.counts.length);
    widenTo(other.exponent);
    int shift = Math.min(31, exponent - other.exponent);
    long[] others = other.counts.clone();
    for (int i = 0; i < others.length; i++) {
      counts[((i - half) >> shift) + half] += others[i];
    }
    nonFinite += other.nonFinite;
    return this;
  }

  @Override
  public Histogram snapshot() {
    return new Histogram(exponent, ImmutableLongArray.copyOf(counts), nonFinite);
  }
}
