package org.dl4jquant.strategy;

import java.util.Arrays;

/**
 * The cuts with the highest weighted entropy among given positions, by dynamic programming: for
 * {@code p} positions, time is clusters * p² / 2, memory p² / 2 doubles.
 */
final class ExactCuts {
  private final EntropyScore score;
  private final int[] positions;

  /** The scores of a cluster other than the first, by where it ends and where it starts. */
  private final double[][] scores;

  private ExactCuts(EntropyScore score, int[] positions) {
    this.score = score;
    this.positions = positions;
    this.scores = new double[positions.length][];
    for (int to = 0; to < positions.length; to++) {
      scores[to] = new double[to];
      for (int from = 0; from < to; from++) {
        scores[to][from] = score.of(1, positions[from], positions[to]);
      }
    }
  }

  /** Returns the optimal cuts of all; every cluster has at least one element. */
  static int[] solve(EntropyScore score, int clusters) {
    int[] positions = new int[score.magnitudes().length() + 1];
    Arrays.setAll(positions, i -> i);
    return solve(score, clusters, positions);
  }

  /**
   * Returns the optimal cuts at {@code positions}: strictly increasing from 0 to the number of
   * magnitudes, and more of them than clusters.
   */
  static int[] solve(EntropyScore score, int clusters, int[] positions) {
    return new ExactCuts(score, positions).cuts(clusters);
  }

  private int[] cuts(int clusters) {
    double[] best = new double[positions.length];
    for (int to = 0; to < best.length; to++) {
      best[to] = score.of(0, 0, positions[to]);
    }
    int[][] starts = new int[clusters][positions.length];
    for (int cluster = 1; cluster < clusters; cluster++) {
      best = extend(best, cluster, starts[cluster]);
    }
    int[] cuts = new int[clusters];
    int end = positions.length - 1;
    for (int cluster = clusters - 1; cluster >= 0; cluster--) {
      cuts[cluster] = positions[end];
      end = starts[cluster][end];
    }
    return cuts;
  }

  /** Returns the best scores with one cluster more, by where it ends, and fills in its starts. */
  private double[] extend(double[] before, int cluster, int[] starts) {
    double[] best = new double[before.length];
    Arrays.fill(best, Double.NEGATIVE_INFINITY);
    for (int to = cluster + 1; to < best.length; to++) {
      double[] last = scores[to];
      for (int from = cluster; from < to; from++) {
        double candidate = before[from] + last[from];
        if (candidate > best[to]) {
          best[to] = candidate;
          starts[to] = from;
        }
      }
    }
    return best;
  }
}
