package org.dl4jquant.stats;

import org.dl4jquant.internal.Checks;

/**
 * How much training lies between two looks at the weights.
 *
 * @param unit what is counted
 * @param length how many of them make a cycle, at least 1
 */
public record TrainingCycle(Unit unit, int length) {
  /** What a cycle counts. */
  public enum Unit {
    ITERATION,
    EPOCH
  }

  public TrainingCycle {
    Checks.positive("length", length);
  }

  /** Returns a cycle of {@code length} epochs. */
  public static TrainingCycle epochs(int length) {
    return new TrainingCycle(Unit.EPOCH, length);
  }

  /** Returns a cycle of {@code length} iterations. */
  public static TrainingCycle iterations(int length) {
    return new TrainingCycle(Unit.ITERATION, length);
  }
}
