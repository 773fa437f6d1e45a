package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.internal.Checks;

/**
 * Sorted magnitudes cut into clusters.
 *
 * @param cuts where each cluster ends, exclusive, in the ascending order of magnitudes; the last is
 *     their number. Strictly increasing, except that a cluster of zeros may be empty
 * @param representatives the root mean square of each cluster; 0 for a cluster that means zero
 * @param boundaries the smallest magnitude of each cluster; 0 for the first
 * @param score the weighted entropy, in squared units of the weights times nats
 * @param passes how many sweeps over the cuts the search made; 0 if there was nothing to search
 */
public record MagnitudeClusters(
    ImmutableIntArray cuts,
    ImmutableDoubleArray representatives,
    ImmutableDoubleArray boundaries,
    double score,
    int passes) {
  /** What no magnitudes at all give. */
  static final MagnitudeClusters NONE =
      new MagnitudeClusters(
          ImmutableIntArray.of(), ImmutableDoubleArray.of(), ImmutableDoubleArray.of(), 0, 0);

  public MagnitudeClusters {
    Checks.that(
        representatives.length() == cuts.length(),
        "representatives",
        "number as many as cuts, " + cuts.length(),
        representatives.length());
    Checks.that(
        boundaries.length() == cuts.length(),
        "boundaries",
        "number as many as cuts, " + cuts.length(),
        boundaries.length());
  }

  /** Returns the number of clusters. */
  public int count() {
    return cuts.length();
  }
}
