package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableLongArray;
import org.dl4jquant.internal.Checks;

/**
 * What a {@link HistogramAccumulator} has seen: element {@code i} of the counts belongs to the
 * values from {@code (i - bins/2) * 2^exponent} to, excluded, {@code (i + 1 - bins/2) *
 * 2^exponent}.
 *
 * @param exponent of the bin width; the range {@code bins/2 * 2^exponent} is from 2^-126 to 2^128
 * @param counts as many as there are bins, a power of two from 4 to 65536, none negative
 * @param nonFinite the number of values that were skipped
 */
public record Histogram(int exponent, ImmutableLongArray counts, long nonFinite) {
  private static final int MAX_BINS = 1 << 16;

  public Histogram {
    int bins = checkedBins(counts.length());
    Checks.inRange(
        "exponent", exponent, smallestExponent(bins), smallestExponent(bins) + 128 + 126);
    for (int i = 0; i < bins; i++) {
      Checks.that(
          counts.get(i) >= 0, "counts", "not be negative", counts.get(i) + " at index " + i);
    }
    Checks.that(nonFinite >= 0, "nonFinite", "not be negative", nonFinite);
  }

  static int checkedBins(int bins) {
    Checks.inRange("bins", bins, 4, MAX_BINS);
    Checks.that(Integer.bitCount(bins) == 1, "bins", "be a power of two", bins);
    return bins;
  }

  static int smallestExponent(int bins) {
    return -126 - Integer.numberOfTrailingZeros(bins / 2);
  }

  /** Returns the number of values, those that were skipped excluded. */
  public long count() {
    return counts.stream().sum();
  }

  /** Returns the histogram of the same values times {@code 2^power}. */
  Histogram scaled(int power) {
    return new Histogram(exponent + power, counts, nonFinite);
  }

  /** Returns the width of a bin, {@code 2^exponent}. */
  public double binWidth() {
    return Math.scalb(1.0, exponent);
  }

  /** Returns the lower edge of element {@code index} of the counts, exactly. */
  public double lowerEdge(int index) {
    return Math.scalb(index - counts.length() / 2.0, exponent);
  }

  /**
   * Returns the middle of the bin that holds the value of rank {@code ceil(fraction * count)}, the
   * first for 0: at most half a bin width from that value.
   *
   * @param fraction from 0 to 1: 0.5 asks for the median
   * @throws IllegalStateException if no value was seen
   */
  public double quantile(double fraction) {
    long rank = rank(fraction);
    int index = 0;
    for (long seen = counts.get(0); seen < rank; seen += counts.get(index)) {
      index++;
    }
    return lowerEdge(index) + binWidth() / 2;
  }

  /**
   * Returns a magnitude that at least {@code fraction} of the values do not exceed: the one of rank
   * {@code ceil(fraction * count)} among the magnitudes, rounded up to the edge of a bin, so at
   * most one bin width above it.
   *
   * @param fraction from 0 to 1: 0.999 leaves a thousandth of the values out
   * @throws IllegalStateException if no value was seen
   */
  public double magnitudeQuantile(double fraction) {
    long rank = rank(fraction);
    int half = counts.length() / 2;
    int edge = 1;
    for (long seen = around(half, edge); seen < rank; seen += around(half, edge)) {
      edge++;
    }
    return Math.scalb((double) edge, exponent);
  }

  /** The values whose magnitude is between the given edge and the one before. */
  private long around(int half, int edge) {
    return counts.get(half + edge - 1) + counts.get(half - edge);
  }

  private long rank(double fraction) {
    Checks.that(fraction >= 0 && fraction <= 1, "fraction", "be between 0 and 1", fraction);
    long count = count();
    Checks.state(count > 0, "the histogram has seen no value");
    return Math.max(1, Math.min(count, (long) Math.ceil(fraction * count)));
  }
}
