package org.dl4jquant.stats;

/** What the weights at the end of a cycle are compared with. */
public enum DifferenceReference {
  /** The weights before the first update: how far training has carried them in all. */
  INITIAL,
  /** The weights at the end of the cycle before, or before the first update. */
  PREVIOUS_CYCLE
}
