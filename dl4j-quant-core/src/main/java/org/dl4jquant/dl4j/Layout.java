package org.dl4jquant.dl4j;

/**
 * How a value of the graph is related to DL4J's array. The rows of {@code [batch * time, …]} run
 * over the batch first: row {@code t * batch + b} is step t of example b.
 */
public enum Layout {
  /** Element for element the same. */
  AS_IN_DL4J,
  /** DL4J has the channels on the last axis, the graph on the first after the batch. */
  CHANNELS_LAST,
  /**
   * DL4J has a row of features for each step of each example, {@code [batch * time, features]}; the
   * graph has {@code [features, time]}.
   */
  STEPS,
  /**
   * DL4J has an array for each step of each example, {@code [batch * time, …]}; the graph has
   * {@code [time, …]}.
   */
  FOLDED
}
