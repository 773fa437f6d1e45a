package org.dl4jquant.stats;

/** How the mean square differences of several cycles become one statistic. */
public enum DifferenceAggregate {
  /** The mean over all cycles (US20200218962A1). */
  MEAN_OVER_CYCLES,
  /** The last cycle alone: learned against initial weights (US20240185029A1). */
  FINAL
}
