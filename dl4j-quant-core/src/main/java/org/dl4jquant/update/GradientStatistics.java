package org.dl4jquant.update;

/**
 * What rounding did to gradients.
 *
 * @param values how many were visited
 * @param lost how many of them became 0 and were not
 * @param saturated how many were outside the range
 * @param skipped how many were not finite and stayed as they were
 */
public record GradientStatistics(long values, long lost, long saturated, long skipped) {
  /** Nothing seen: the identity of {@link #and}. */
  public static final GradientStatistics NONE = new GradientStatistics(0, 0, 0, 0);

  /** Returns the share of values that rounding lost, 0 if there were none. */
  public double lostShare() {
    return values == 0 ? 0 : (double) lost / values;
  }

  /** Returns this and other values. */
  public GradientStatistics and(GradientStatistics other) {
    return new GradientStatistics(
        values + other.values,
        lost + other.lost,
        saturated + other.saturated,
        skipped + other.skipped);
  }
}
