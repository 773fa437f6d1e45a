package org.dl4jquant.strategy;

import java.util.Arrays;

/**
 * The cuts with the highest weighted entropy of all, by dynamic programming: time is clusters *
 * length² / 2, memory clusters * length ints.
 */
final class ExactCuts {
  private ExactCuts() {}

  /** Returns the optimal cuts; every cluster has at least one element. */
  static int[] solve(EntropyScore score, int clusters) {
    int length = score.magnitudes().length();
    double[] logs = new double[length + 1];
    for (int count = 1; count <= length; count++) {
      logs[count] = StrictMath.log(count / score.states());
    }
    double[] best = new double[length + 1];
    for (int to = 0; to <= length; to++) {
      best[to] = score.of(0, 0, to);
    }
    int[][] starts = new int[clusters][length + 1];
    for (int cluster = 1; cluster < clusters; cluster++) {
      best = extend(score, logs, best, cluster, starts[cluster]);
    }
    int[] cuts = new int[clusters];
    cuts[clusters - 1] = length;
    for (int cluster = clusters - 1; cluster > 0; cluster--) {
      cuts[cluster - 1] = starts[cluster][cuts[cluster]];
    }
    return cuts;
  }

  /** Returns the best scores with one cluster more, by where it ends, and fills in its starts. */
  private static double[] extend(
      EntropyScore score, double[] logs, double[] before, int cluster, int[] starts) {
    int length = before.length - 1;
    double[] best = new double[length + 1];
    Arrays.fill(best, Double.NEGATIVE_INFINITY);
    for (int to = cluster + 1; to <= length; to++) {
      for (int from = cluster; from < to; from++) {
        double squares = score.magnitudes().squares(from, to);
        double candidate = before[from] - squares / score.total() * logs[to - from];
        if (candidate > best[to]) {
          best[to] = candidate;
          starts[to] = from;
        }
      }
    }
    return best;
  }
}
