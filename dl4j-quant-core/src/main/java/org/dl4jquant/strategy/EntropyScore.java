package org.dl4jquant.strategy;

/**
 * The weighted entropy of clusters: the sum over clusters of {@code -(sum of squares / total) *
 * ln(count / states)}.
 *
 * @param total what makes a sum of squares the product of mean importance and relative frequency
 * @param states {@code 2 * total} where each cluster stands for both signs, else {@code total}
 * @param zeroCluster true if the first cluster means zero and has no score
 */
record EntropyScore(SortedMagnitudes magnitudes, double total, double states, boolean zeroCluster) {
  /** Returns the score of one cluster; 0 if it is empty. */
  double of(int cluster, int from, int to) {
    if (from >= to || (zeroCluster && cluster == 0)) {
      return 0;
    }
    return -(magnitudes.squares(from, to) / total) * StrictMath.log((to - from) / states);
  }

  /** Returns the score of all clusters. */
  double of(int[] cuts) {
    double score = 0;
    int from = 0;
    for (int cluster = 0; cluster < cuts.length; cluster++) {
      score += of(cluster, from, cuts[cluster]);
      from = cuts[cluster];
    }
    return score;
  }
}
