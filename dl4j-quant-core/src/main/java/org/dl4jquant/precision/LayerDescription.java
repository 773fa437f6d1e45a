package org.dl4jquant.precision;

import org.dl4jquant.internal.Checks;

/**
 * What a policy may know about a layer.
 *
 * @param name unique in its network
 * @param kind the simple name of DL4J's configuration class, such as {@code ConvolutionLayer}
 * @param weightCount the number of its weights, without biases and statistics; 0 if it has none
 */
public record LayerDescription(String name, String kind, long weightCount) {
  public LayerDescription {
    Checks.that(!name.isEmpty(), "name", "not be empty", "''");
    Checks.that(weightCount >= 0, "weightCount", "not be negative", weightCount);
  }
}
