package org.dl4jquant.strategy;

/** How {@link WeightedEntropy} treats the signs of weights. */
public enum SignHandling {
  /** Clusters magnitudes; both signs have the same levels. */
  SYMMETRIC,
  /** Clusters negative and non-negative weights separately, with as many levels for each sign. */
  SPLIT_SIGN
}
