package org.dl4jquant.finetune;

import java.util.OptionalDouble;
import org.dl4jquant.internal.Checks;

/**
 * The learning rates of steps, where they are learned.
 *
 * @param weights positive
 * @param activations positive
 */
record StepRates(OptionalDouble weights, OptionalDouble activations) {
  static final StepRates NONE = new StepRates(OptionalDouble.empty(), OptionalDouble.empty());

  StepRates {
    weights.ifPresent(rate -> Checks.positiveFinite("learningRate", rate));
    activations.ifPresent(rate -> Checks.positiveFinite("learningRate", rate));
  }

  StepRates ofWeights(double rate) {
    return new StepRates(OptionalDouble.of(rate), activations);
  }

  StepRates ofActivations(double rate) {
    return new StepRates(weights, OptionalDouble.of(rate));
  }

  /** Returns whether any steps are learned. */
  boolean any() {
    return weights.isPresent() || activations.isPresent();
  }
}
