package org.dl4jquant.graph;

import org.dl4jquant.internal.Checks;

/** A function of one number, applied to every element. */
public sealed interface ScalarFunction {
  /** Returns the value at {@code x}, computed in double. */
  double apply(double x);

  /** Returns true if {@code f(k x) = k f(x)} for every positive k. */
  default boolean homogeneous() {
    return false;
  }

  /**
   * Returns true if the function does nothing but limit its argument to {@link #lowest} and {@link
   * #highest}, so that it can be computed by saturation.
   */
  default boolean clips() {
    return false;
  }

  /** Returns true if the function {@link #clips} at 0, as a ReLU does, and perhaps above. */
  default boolean rectifies() {
    return clips() && lowest() == 0;
  }

  /** Returns the smallest value that a function that {@link #clips} lets through. */
  default double lowest() {
    return Double.NEGATIVE_INFINITY;
  }

  /** Returns the largest value that a function that {@link #clips} lets through. */
  default double highest() {
    return Double.POSITIVE_INFINITY;
  }

  /** Returns {@code max(0, x)}. */
  static ScalarFunction relu() {
    return new Clip(0, Double.POSITIVE_INFINITY);
  }

  /** Returns {@code min(max(0, x), 6)}. */
  static ScalarFunction relu6() {
    return new Clip(0, 6);
  }

  /** Returns {@code x}. */
  static ScalarFunction identity() {
    return new Clip(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
  }

  /**
   * {@code min(max(lowest, x), highest)}.
   *
   * @param lowest at most 0, minus infinity for no limit
   * @param highest greater than 0, infinity for no limit
   */
  record Clip(double lowest, double highest) implements ScalarFunction {
    public Clip {
      Checks.that(lowest <= 0, "lowest", "be at most 0", lowest);
      Checks.that(highest > 0, "highest", "be greater than 0", highest);
    }

    @Override
    public double apply(double x) {
      return Math.min(Math.max(lowest, x), highest);
    }

    @Override
    public boolean homogeneous() {
      return (lowest == 0 || Double.isInfinite(lowest)) && Double.isInfinite(highest);
    }

    @Override
    public boolean clips() {
      return true;
    }
  }

  /** {@code x} where positive, else {@code slope * x}. */
  record LeakyRelu(double slope) implements ScalarFunction {
    public LeakyRelu {
      Checks.nonNegativeFinite("slope", slope);
    }

    @Override
    public double apply(double x) {
      return x > 0 ? x : slope * x;
    }

    @Override
    public boolean homogeneous() {
      return true;
    }
  }

  /** {@code x} where positive, else {@code alpha * (exp(x) - 1)}. */
  record Elu(double alpha) implements ScalarFunction {
    public Elu {
      Checks.nonNegativeFinite("alpha", alpha);
    }

    @Override
    public double apply(double x) {
      return x > 0 ? x : alpha * Math.expm1(x);
    }
  }

  /** {@code min(max(0, slope * x + offset), 1)}; DL4J has slope 0.2 and offset 0.5. */
  record HardSigmoid(double slope, double offset) implements ScalarFunction {
    /** DL4J's constants. */
    public static final HardSigmoid DL4J = new HardSigmoid(0.2, 0.5);

    public HardSigmoid {
      Checks.positiveFinite("slope", slope);
      Checks.nonNegativeFinite("offset", offset);
    }

    @Override
    public double apply(double x) {
      return Math.min(Math.max(0, slope * x + offset), 1);
    }
  }

  /** The functions without parameters. */
  enum Smooth implements ScalarFunction {
    /** {@code 1 / (1 + exp(-x))}. */
    SIGMOID {
      @Override
      public double apply(double x) {
        return 1 / (1 + Math.exp(-x));
      }
    },
    /** The hyperbolic tangent. */
    TANH {
      @Override
      public double apply(double x) {
        return Math.tanh(x);
      }
    },
    /** {@code log(1 + exp(x))}. */
    SOFTPLUS {
      @Override
      public double apply(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      }
    },
    /** {@code x / (1 + |x|)}. */
    SOFTSIGN {
      @Override
      public double apply(double x) {
        return x / (1 + Math.abs(x));
      }
    },
    /** The scaled exponential linear unit. */
    SELU {
      @Override
      public double apply(double x) {
        return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x));
      }
    },
    /** {@code x / (1 + exp(-x))}. */
    SWISH {
      @Override
      public double apply(double x) {
        return x * SIGMOID.apply(x);
      }
    },
    /** {@code x * tanh(log(1 + exp(x)))}. */
    MISH {
      @Override
      public double apply(double x) {
        return x * Math.tanh(SOFTPLUS.apply(x));
      }
    },
    /** {@code x^3}. */
    CUBE {
      @Override
      public double apply(double x) {
        return x * x * x;
      }
    },
    /** {@code max(0, tanh(x))}. */
    RECTIFIED_TANH {
      @Override
      public double apply(double x) {
        return Math.max(0, Math.tanh(x));
      }
    }
  }
}
