package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableLongArray;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.dl4jquant.format.SixteenthOctaves;

/**
 * A histogram of positive values over 1024 bins of a sixteenth of an octave, 8 KiB whatever is fed.
 *
 * <p>Bin {@code b} counts the values from {@code 2^((b - 640)/16)} to, excluded, {@code 2^((b -
 * 639)/16)}; the first bin (from 2^-40) also counts everything below it, the last (to 2^24)
 * everything above. Zeros and negative values are counted together; NaN and infinite values are
 * counted apart and otherwise ignored. Combining is exact. Not thread-safe.
 */
public final class LogHistogram implements Accumulator<LogHistogram, LogBins> {
  private final long[] counts = new long[LogBins.BINS];
  private long nonPositive;
  private long nonFinite;

  private LogHistogram() {}

  /** Returns a histogram that has seen nothing. */
  public static LogHistogram create() {
    return new LogHistogram();
  }

  @Override
  public void accept(double value) {
    if (!Double.isFinite(value)) {
      nonFinite++;
    } else if (value <= 0) {
      nonPositive++;
    } else {
      int bin = SixteenthOctaves.floorIndex(value) + LogBins.ONE;
      counts[Math.max(0, Math.min(LogBins.BINS - 1, bin))]++;
    }
  }

  /** Adds the values from index {@code from} to, excluded, {@code to}. */
  public void acceptAll(float[] values, int from, int to) {
    for (int i = from; i < to; i++) {
      accept(values[i]);
    }
  }

  @Override
  @CanIgnoreReturnValue
  public LogHistogram combine(LogHistogram other) {
    long[] others = other.counts.clone();
    for (int i = 0; i < counts.length; i++) {
      counts[i] += others[i];
    }
    nonPositive += other.nonPositive;
    nonFinite += other.nonFinite;
    return this;
  }

  @Override
  public LogBins snapshot() {
    return new LogBins(ImmutableLongArray.copyOf(counts), nonPositive, nonFinite);
  }
}
