package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Optional;
import org.dl4jquant.internal.Checks;

/**
 * Clusters the magnitudes of one sign, or of both together.
 *
 * <p>If there are no more different magnitudes than clusters, each gets its own, and nothing is
 * lost; then there may be fewer clusters.
 */
final class MagnitudeSearch {
  private final WeightedEntropy spec;
  private final EntropyScore score;
  private final int clusters;

  MagnitudeSearch(WeightedEntropy spec, SortedMagnitudes magnitudes, double total, double states) {
    this.spec = spec;
    this.score = new EntropyScore(magnitudes, total, states, spec.hasZero());
    this.clusters = spec.clustersPerSign();
  }

  MagnitudeClusters search(Optional<MagnitudeClusters> previous) {
    SortedMagnitudes magnitudes = score.magnitudes();
    if (magnitudes.length() == 0) {
      return MagnitudeClusters.NONE;
    }
    int zeros = magnitudes.zeros();
    int distinct = magnitudes.distinct(zeros, clusters);
    int needed = distinct + (zeros > 0 || score.zeroCluster() ? 1 : 0);
    if (needed <= clusters) {
      return lossless(zeros, needed);
    }
    if (spec.exact()) {
      Checks.that(
          magnitudes.length() <= WeightedEntropy.EXACT_LIMIT,
          "weights",
          "number at most " + WeightedEntropy.EXACT_LIMIT + " for the exact search",
          magnitudes.length());
      return clusters(ExactCuts.solve(score, clusters), 0);
    }
    CutAscent ascent = new CutAscent(score, spec.passLimit());
    CutAscent.Climb climb =
        previous
            .filter(clustered -> clustered.count() == clusters)
            .map(clustered -> ascent.climb(rescaled(clustered.cuts())))
            .orElseGet(() -> ascent.best(clusters));
    return clusters(climb.cuts().toArray(), climb.passes());
  }

  private int[] rescaled(ImmutableIntArray cuts) {
    double before = cuts.get(cuts.length() - 1);
    int now = score.magnitudes().length();
    return cuts.stream().map(cut -> (int) Math.rint(cut / before * now)).toArray();
  }

  private MagnitudeClusters lossless(int zeros, int needed) {
    SortedMagnitudes magnitudes = score.magnitudes();
    int[] cuts = new int[needed];
    int cluster = 0;
    if (zeros > 0 || score.zeroCluster()) {
      cuts[cluster++] = zeros;
    }
    for (int i = zeros + 1; i <= magnitudes.length(); i++) {
      if (i == magnitudes.length() || magnitudes.get(i) != magnitudes.get(i - 1)) {
        cuts[cluster++] = i;
      }
    }
    return clusters(cuts, 0);
  }

  private MagnitudeClusters clusters(int[] cuts, int passes) {
    SortedMagnitudes magnitudes = score.magnitudes();
    double[] representatives = new double[cuts.length];
    double[] boundaries = new double[cuts.length];
    for (int n = 0; n < cuts.length; n++) {
      int from = n == 0 ? 0 : cuts[n - 1];
      boolean zero = n == 0 && score.zeroCluster();
      representatives[n] = zero ? 0 : magnitudes.rootMeanSquare(from, cuts[n]);
      boundaries[n] = n == 0 ? 0 : boundary(from);
    }
    return new MagnitudeClusters(
        ImmutableIntArray.copyOf(cuts),
        ImmutableDoubleArray.copyOf(representatives),
        ImmutableDoubleArray.copyOf(boundaries),
        score.of(cuts),
        passes);
  }

  /** Returns the magnitude at {@code from}, but where zero has its own level never zero. */
  private double boundary(int from) {
    int smallest = score.zeroCluster() ? Math.max(from, score.magnitudes().zeros()) : from;
    return score.magnitudes().get(smallest);
  }
}
