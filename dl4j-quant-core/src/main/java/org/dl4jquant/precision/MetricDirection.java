package org.dl4jquant.precision;

/** Which way a metric gets better. */
public enum MetricDirection {
  /** Accuracy, F1, area under a curve, correlation. */
  HIGHER_IS_BETTER {
    @Override
    public double loss(double baseline, double metric) {
      return baseline - metric;
    }
  },
  /** Error rate, mean squared error, perplexity. */
  LOWER_IS_BETTER {
    @Override
    public double loss(double baseline, double metric) {
      return metric - baseline;
    }
  };

  /** Returns how much worse {@code metric} is than {@code baseline}; negative if it is better. */
  public abstract double loss(double baseline, double metric);
}
