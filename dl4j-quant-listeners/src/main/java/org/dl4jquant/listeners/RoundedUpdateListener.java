package org.dl4jquant.listeners;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.dl4jquant.update.ReadOut;

/**
 * For comparison only: each update is rounded to the weight's grid by itself, and what rounding
 * removes is lost. With small learning rates nothing is learned, or, rounded by chance, little.
 */
public final class RoundedUpdateListener extends LimitedPrecisionListener {
  private RoundedUpdateListener(CarrySettings settings) {
    super(settings);
  }

  /** Returns a builder with 8-bit weights, rounded to the nearest step. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the options. */
  public static final class Builder extends LimitedPrecisionBuilder<Builder> {
    private Builder() {
      super(ReadOut.NAIVE_ROUNDING);
    }

    /** Rounds up or down by chance, right on average. The chance is fixed by the seed. */
    @CanIgnoreReturnValue
    public Builder stochastic(long seed) {
      setSeed(seed);
      return setReadOut(ReadOut.STOCHASTIC_ROUNDING);
    }

    @Override
    public RoundedUpdateListener build() {
      return new RoundedUpdateListener(settings());
    }
  }
}
