package org.dl4jquant.listeners;

import org.dl4jquant.internal.Checks;

/**
 * How far the cycle under way has come.
 *
 * @param iterations the iterations since the last cycle ended
 * @param epochs the epochs since the last cycle ended
 * @param epochSeen whether an epoch was ever announced
 */
record OpenCycle(long iterations, long epochs, boolean epochSeen) {
  static final OpenCycle NONE = new OpenCycle(0, 0, false);

  OpenCycle {
    Checks.that(iterations >= 0, "iterations", "not be negative", iterations);
    Checks.that(epochs >= 0, "epochs", "not be negative", epochs);
  }

  OpenCycle withIteration() {
    return new OpenCycle(iterations + 1, epochs, epochSeen);
  }

  OpenCycle withEpoch() {
    return new OpenCycle(iterations, epochs + 1, epochSeen);
  }

  OpenCycle withEpochSeen() {
    return epochSeen ? this : new OpenCycle(iterations, epochs, true);
  }

  OpenCycle next() {
    return new OpenCycle(0, 0, epochSeen);
  }
}
