package org.dl4jquant.execute;

/** Computes the value of one node for a part of the batch. Immutable; the frame holds all state. */
@FunctionalInterface
interface Step {
  void run(Frame frame);
}
