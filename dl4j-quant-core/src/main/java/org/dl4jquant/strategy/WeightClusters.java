package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableDoubleArray;
import org.dl4jquant.format.Codebook;

/**
 * The clusters that {@link WeightedEntropy} found in the weights of one tensor.
 *
 * @param negative the magnitudes of negative weights; without clusters if there are none
 * @param nonNegative the magnitudes of the others; the same clusters if the search was symmetric
 * @param score the weighted entropy of all weights
 */
public record WeightClusters(
    MagnitudeClusters negative, MagnitudeClusters nonNegative, double score) {
  /**
   * Returns the codebook of these clusters.
   *
   * <p>Levels are the representatives, rounded to float. A weight {@code w} gets the last cluster
   * of its sign whose boundary is at most {@code |w|}; 0 counts as positive. Where equal weights
   * lie on both sides of a cut, all of them get the upper cluster; a cluster that so loses all its
   * weights has no level.
   *
   * @param bitWidth of the codes; enough for the levels
   */
  public Codebook codebook(int bitWidth) {
    int negatives = negative.count();
    boolean sharedZero = negatives > 0 && negative.representatives().get(0) == 0;
    int firstPositive = sharedZero ? 1 : 0;
    int cells = negatives + Math.max(0, nonNegative.count() - firstPositive);
    double[] levels = new double[cells];
    double[] lowers = new double[cells + 1];
    for (int i = 0; i < negatives; i++) {
      int n = negatives - 1 - i;
      levels[i] = -negative.representatives().get(n);
      lowers[i] = n + 1 < negatives ? above(-negative.boundaries().get(n + 1)) : 0;
    }
    for (int i = negatives; i < cells; i++) {
      int n = firstPositive + i - negatives;
      levels[i] = nonNegative.representatives().get(n);
      lowers[i] = nonNegative.boundaries().get(n);
    }
    lowers[0] = Double.NEGATIVE_INFINITY;
    lowers[cells] = Double.POSITIVE_INFINITY;
    return codebook(bitWidth, levels, lowers);
  }

  /** A negative weight equal to its boundary belongs below it, so the next cell starts above. */
  private static double above(double boundary) {
    return boundary == 0 ? 0 : Math.nextUp(boundary);
  }

  /** Rounds each level to a float of its cell {@code [lowers[i], lowers[i + 1])}, if it has one. */
  private static Codebook codebook(int bitWidth, double[] levels, double[] lowers) {
    var kept = ImmutableDoubleArray.builder(levels.length);
    var boundaries = ImmutableDoubleArray.builder(levels.length);
    boolean first = true;
    for (int i = 0; i < levels.length; i++) {
      float level = Math.min((float) levels[i], below(lowers[i + 1]));
      if (level >= lowers[i]) {
        kept.add(level);
        if (!first) {
          boundaries.add(lowers[i]);
        }
        first = false;
      }
    }
    return new Codebook(bitWidth, kept.build(), boundaries.build());
  }

  /** Returns the largest finite float below {@code limit}. */
  private static float below(double limit) {
    float nearest = (float) Math.min(limit, Float.MAX_VALUE);
    return nearest < limit ? nearest : Math.nextDown(nearest);
  }
}
