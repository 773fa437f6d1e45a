package org.dl4jquant.dl4j;

/** What a parameter is for, which decides whether it can become codes. */
public enum ParameterRole {
  /** Multiplied with inputs or with recurrent state. */
  WEIGHT,
  /** Added to a sum of products. */
  BIAS,
  /** Measured or learned scale and shift of a normalization; never quantized on its own. */
  STATISTIC,
  /** Anything else; stays float. */
  OTHER
}
