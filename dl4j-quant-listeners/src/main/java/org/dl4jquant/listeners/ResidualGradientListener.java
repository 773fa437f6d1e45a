package org.dl4jquant.listeners;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.ReadOut;

/**
 * Method D: the weight's digits and those of its residual gradient are one number; updates are
 * added to it and the weight is its upper digits.
 *
 * <pre>{@code
 * ResidualGradientListener.builder().bitWidth(8).build().attachTo(network);
 * network.fit(iterator, epochs);
 * }</pre>
 *
 * <p>Sources: US20200012936A1; the rounded read-out, which is the default, is the Kahan-summed
 * gradient descent of arXiv 1810.05486.
 */
public final class ResidualGradientListener extends LimitedPrecisionListener {
  private ResidualGradientListener(CarrySettings settings) {
    super(settings);
  }

  /** Returns a builder with 8-bit weights, 12 digits below them, read out to the nearest step. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the options. */
  public static final class Builder extends LimitedPrecisionBuilder<Builder> {
    private Builder() {
      super(ReadOut.NEAREST);
    }

    /**
     * Sets how the weight is read: {@link ReadOut#NEAREST}, the default, or {@link ReadOut#FLOOR},
     * the digits as they stand, on average half a step low.
     */
    @CanIgnoreReturnValue
    public Builder readOut(ReadOut rule) {
      Checks.that(
          rule == ReadOut.NEAREST || rule == ReadOut.FLOOR, "readOut", "be NEAREST or FLOOR", rule);
      return setReadOut(rule);
    }

    /** Sets after how many iterations the weight is read out. Default 1. */
    @CanIgnoreReturnValue
    public Builder period(int iterations) {
      return setPeriod(iterations);
    }

    @Override
    public ResidualGradientListener build() {
      return new ResidualGradientListener(settings());
    }
  }
}
