package org.dl4jquant.listeners;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.dl4jquant.update.ReadOut;

/**
 * Method C: updates too small for the weight's grid gather in an accumulation buffer until they
 * reach a threshold; the multiples of it then go to the weight.
 *
 * <pre>{@code
 * AccumulatedUpdateListener.builder().bitWidth(8).build().attachTo(network);
 * network.fit(iterator, epochs);
 * }</pre>
 *
 * <p>Sources: US20190122106A1, US20230102087A1.
 */
public final class AccumulatedUpdateListener extends LimitedPrecisionListener {
  private AccumulatedUpdateListener(CarrySettings settings) {
    super(settings);
  }

  /** Returns a builder with 8-bit weights, 12 digits below them, threshold one step, period 1. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the options. */
  public static final class Builder extends LimitedPrecisionBuilder<Builder> {
    private Builder() {
      super(ReadOut.TRUNC_THRESHOLD);
    }

    /** Sets n: the threshold is {@code 2^n} steps of the weight. Default 0. */
    @CanIgnoreReturnValue
    public Builder thresholdExponent(int exponent) {
      return setThresholdExponent(exponent);
    }

    /** Sets after how many iterations the buffer is compared with the threshold. Default 1. */
    @CanIgnoreReturnValue
    public Builder period(int iterations) {
      return setPeriod(iterations);
    }

    /**
     * Does as the hardware of the publication does, including that it holds an exact negative
     * multiple of the threshold back: {@link ReadOut#BIT_EXACT}. Default false.
     */
    @CanIgnoreReturnValue
    public Builder bitExact(boolean hardware) {
      return setReadOut(hardware ? ReadOut.BIT_EXACT : ReadOut.TRUNC_THRESHOLD);
    }

    @Override
    public AccumulatedUpdateListener build() {
      return new AccumulatedUpdateListener(settings());
    }
  }
}
