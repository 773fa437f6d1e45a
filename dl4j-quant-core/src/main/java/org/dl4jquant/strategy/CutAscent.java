package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Coordinate ascent on the cuts: each in turn moves, by bisection, to a maximum of the score of the
 * two clusters it separates.
 *
 * <p>Bisection finds the maximum of a unimodal score only, so {@link #best} climbs from two starts.
 * A cut never leaves {@code [previous cut + 1, next cut - 1]} and never moves to a lower score, so
 * clusters are never empty and the total never decreases.
 */
final class CutAscent {
  /** A sweep that gains less than this share of the score is the last one. */
  private static final double LEAST_GAIN = 1e-9;

  /** A later start must be better by more than rounding to win. */
  private static final double DISTINGUISHABLE = 1e-12;

  /** Among this many cuts the exact optimum, a start, takes a few milliseconds. */
  static final int CANDIDATES = 256;

  private final EntropyScore score;
  private final int passLimit;

  CutAscent(EntropyScore score, int passLimit) {
    this.score = score;
    this.passLimit = passLimit;
  }

  /** The cuts of a climb. */
  record Climb(ImmutableIntArray cuts, double score, int passes) {}

  /**
   * Returns the better of the climbs from equal counts and from the optimum among candidates; the
   * optimum itself for up to {@link #CANDIDATES} / 2 magnitudes.
   */
  Climb best(int clusters) {
    Climb best = climb(equalCounts(clusters));
    int[] candidates = candidates();
    if (candidates.length > clusters) {
      Climb climb = climb(ExactCuts.solve(score, clusters, candidates));
      if (climb.score > best.score * (1 + DISTINGUISHABLE)) {
        best = climb;
      }
    }
    return best;
  }

  /** Climbs from {@code start}: as many cuts as clusters, of any values; the array is changed. */
  Climb climb(int[] start) {
    int[] cuts = separated(start, score.magnitudes().length());
    double total = score.of(cuts);
    int passes = 0;
    boolean rising = true;
    while (rising && passes < passLimit) {
      double gain = 0;
      for (int n = 0; n < cuts.length - 1; n++) {
        gain += move(cuts, n);
      }
      passes++;
      rising = gain > LEAST_GAIN * total;
      total += gain;
    }
    return new Climb(ImmutableIntArray.copyOf(cuts), score.of(cuts), passes);
  }

  /** Moves one cut and returns what was gained, at least 0. */
  private double move(int[] cuts, int n) {
    int from = n == 0 ? 0 : cuts[n - 1];
    int to = cuts[n + 1];
    int low = from + 1;
    int high = to - 1;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (pair(n, from, mid, to) < pair(n, from, mid + 1, to)) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    double gain = pair(n, from, low, to) - pair(n, from, cuts[n], to);
    if (!(gain > 0)) {
      return 0;
    }
    cuts[n] = low;
    return gain;
  }

  private double pair(int n, int from, int cut, int to) {
    return score.of(n, from, cut) + score.of(n + 1, cut, to);
  }

  private int[] equalCounts(int clusters) {
    int[] cuts = new int[clusters];
    for (int i = 0; i < clusters; i++) {
      cuts[i] = (int) ((long) score.magnitudes().length() * (i + 1) / clusters);
    }
    return cuts;
  }

  /** Returns 0, the length, and between them positions of equal counts and of equal importance. */
  private int[] candidates() {
    SortedMagnitudes magnitudes = score.magnitudes();
    int length = magnitudes.length();
    int half = CANDIDATES / 2;
    double sum = magnitudes.squares(0, length);
    int[] byCount = equalCounts(Math.min(half, length));
    IntStream bySum = IntStream.range(1, half).map(i -> magnitudes.indexOfSum(sum * i / half));
    return IntStream.concat(IntStream.concat(IntStream.of(0), bySum), Arrays.stream(byCount))
        .sorted()
        .distinct()
        .toArray();
  }

  /** Makes cuts strictly increasing from at least 1 to {@code length}, as near as possible. */
  static int[] separated(int[] cuts, int length) {
    int last = cuts.length - 1;
    for (int i = 0; i < last; i++) {
      int least = i == 0 ? 1 : cuts[i - 1] + 1;
      cuts[i] = Math.min(Math.max(cuts[i], least), length - last + i);
    }
    cuts[last] = length;
    return cuts;
  }
}
