package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableLongArray;
import org.dl4jquant.internal.Checks;

/**
 * What a {@link LogHistogram} has seen.
 *
 * @param counts of the positive finite values, {@value #BINS} of them, none negative
 * @param nonPositive the number of zeros and negative values
 * @param nonFinite the number of NaN and infinite values
 */
public record LogBins(ImmutableLongArray counts, long nonPositive, long nonFinite) {
  /** The number of bins. */
  public static final int BINS = 1024;

  /** The bin whose lower edge is 1. */
  public static final int ONE = 640;

  public LogBins {
    Checks.that(counts.length() == BINS, "counts", "number " + BINS, counts.length());
    for (int i = 0; i < BINS; i++) {
      Checks.that(
          counts.get(i) >= 0, "counts", "not be negative", counts.get(i) + " at index " + i);
    }
    Checks.that(nonPositive >= 0, "nonPositive", "not be negative", nonPositive);
    Checks.that(nonFinite >= 0, "nonFinite", "not be negative", nonFinite);
  }

  /** Returns what was seen in this and in the other together, exactly. */
  public LogBins plus(LogBins other) {
    ImmutableLongArray.Builder sums = ImmutableLongArray.builder(BINS);
    for (int i = 0; i < BINS; i++) {
      sums.add(counts.get(i) + other.counts.get(i));
    }
    return new LogBins(sums.build(), nonPositive + other.nonPositive, nonFinite + other.nonFinite);
  }

  /** Returns the number of positive finite values. */
  public long positive() {
    return counts.stream().sum();
  }
}
