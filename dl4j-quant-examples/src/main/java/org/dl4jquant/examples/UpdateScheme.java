package org.dl4jquant.examples;

import java.util.Locale;
import java.util.Optional;
import org.dl4jquant.listeners.AccumulatedUpdateListener;
import org.dl4jquant.listeners.LimitedPrecisionListener;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.listeners.RoundedUpdateListener;

/** The ways of training that {@link LimitedPrecisionTraining} compares. */
enum UpdateScheme {
  /** Weights as DL4J keeps them. */
  FLOAT,
  /** Method C. */
  ACCUMULATED,
  /** Method D. */
  RESIDUAL,
  /** Each update rounded to the nearest step of the weight. */
  NAIVE,
  /** Each update rounded up or down by chance. */
  STOCHASTIC;

  /**
   * Returns what puts weights and biases on a grid of this width, empty for {@link #FLOAT}.
   *
   * @param seed of {@link #STOCHASTIC}
   */
  Optional<LimitedPrecisionListener> listener(int bits, long seed) {
    return switch (this) {
      case FLOAT -> Optional.empty();
      case ACCUMULATED ->
          Optional.of(AccumulatedUpdateListener.builder().bitWidth(bits).biases(true).build());
      case RESIDUAL ->
          Optional.of(ResidualGradientListener.builder().bitWidth(bits).biases(true).build());
      case NAIVE ->
          Optional.of(RoundedUpdateListener.builder().bitWidth(bits).biases(true).build());
      case STOCHASTIC ->
          Optional.of(
              RoundedUpdateListener.builder().stochastic(seed).bitWidth(bits).biases(true).build());
    };
  }

  /** Returns its name in tables, plots and JSON. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
