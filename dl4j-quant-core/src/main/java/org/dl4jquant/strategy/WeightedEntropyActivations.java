package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableLongArray;
import java.util.Optional;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.SixteenthOctaves;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.LogBins;

/**
 * Chooses the logarithmic format of maximal weighted entropy for activations after a ReLU
 * (publication US20180341857A1; Park, Ahn and Yoo, CVPR 2017).
 *
 * <p>All half steps from 1 to 16 sixteenths of an octave are tried with all lowest levels from 40
 * bins above the smallest value on, as long as the top level's cell begins within the occupied
 * bins. The importance of a cell is its level; the score is {@code -sum(level * p * ln p)} over the
 * cells of positive levels, with {@code p} their share of the positive values. Among equal scores
 * the first wins, half steps before offsets. Immutable and thread-safe.
 *
 * @param levels how many levels, zero included; 2 to 65536, in practice at most 64
 */
public record WeightedEntropyActivations(int levels) {
  private static final int MAX_HALF_STEP = 16;
  private static final int FIRST_OFFSET = 40;

  public WeightedEntropyActivations {
    Checks.inRange("levels", levels, 2, LogFormat.MAX_LEVELS);
  }

  /**
   * Returns the format for the positive values among {@code seen}, or empty where there is no
   * candidate: no positive values, or a range too narrow for so many levels. A uniform format is
   * then the choice.
   */
  public Optional<LogFormat> choose(LogBins seen) {
    ImmutableLongArray counts = seen.counts();
    if (seen.positive() == 0) {
      return Optional.empty();
    }
    int first = 0;
    while (counts.get(first) == 0) {
      first++;
    }
    int end = LogBins.BINS;
    while (counts.get(end - 1) == 0) {
      end--;
    }
    return search(cumulated(counts), first, end);
  }

  private Optional<LogFormat> search(long[] below, int first, int end) {
    Optional<LogFormat> best = Optional.empty();
    double bestScore = Double.NEGATIVE_INFINITY;
    for (int halfStep = 1; halfStep <= MAX_HALF_STEP; halfStep++) {
      long topEdge = halfStep * (2L * levels - 5);
      for (int bin = first + FIRST_OFFSET; bin + topEdge < end; bin++) {
        double score = score(below, bin, halfStep);
        if (score > bestScore) {
          bestScore = score;
          best = Optional.of(new LogFormat(levels, bin - LogBins.ONE, halfStep));
        }
      }
    }
    return best;
  }

  private double score(long[] below, int bin, int halfStep) {
    double score = 0;
    for (int level = 1; level < levels; level++) {
      int center = bin + (level - 1) * 2 * halfStep;
      int upper = level < levels - 1 ? center + halfStep : LogBins.BINS;
      long count = below[upper] - below[center - halfStep];
      if (count > 0) {
        double share = (double) count / below[LogBins.BINS];
        score -= SixteenthOctaves.value(center - LogBins.ONE) * share * StrictMath.log(share);
      }
    }
    return score;
  }

  /** Returns, for each bin edge, how many positive values lie below it. */
  private static long[] cumulated(ImmutableLongArray counts) {
    long[] below = new long[LogBins.BINS + 1];
    for (int bin = 0; bin < LogBins.BINS; bin++) {
      below[bin + 1] = below[bin] + counts.get(bin);
    }
    return below;
  }
}
