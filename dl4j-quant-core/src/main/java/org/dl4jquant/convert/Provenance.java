package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;

/**
 * How a quantized model was made. Holds no date: the same input gives the same bytes.
 *
 * @param library name and version of this library
 * @param deeplearning4j the version of Deeplearning4j
 * @param sourceSha256 of configuration and parameters of the float network
 * @param weightStrategy how weight formats were chosen
 * @param activationStrategy how the formats of values were chosen; empty if they stay float
 * @param calibrationExamples how many examples calibration saw; 0 if there was none, or it did not
 *     say
 * @param leftOutExamples how many more it left out, because their features are NaN or infinite
 * @param folded for each batch normalization that vanished the layer that took it over
 * @param families of the distributions by which formats were chosen, by the node of the value:
 *     {@code Laplace}, or of its channels {@code Laplace 5, normal 3}; empty where the strategy
 *     knows none
 */
public record Provenance(
    String library,
    String deeplearning4j,
    String sourceSha256,
    String weightStrategy,
    String activationStrategy,
    long calibrationExamples,
    long leftOutExamples,
    ImmutableMap<String, String> folded,
    ImmutableMap<String, String> families) {
  /** The version of this library. */
  public static final String LIBRARY = "dl4j-quant 0.1.0-SNAPSHOT";

  /** The version of Deeplearning4j that this library is built for. */
  public static final String DEEPLEARNING4J = "1.0.0-M2.1";

  static Provenance of(String sourceSha256, String weightStrategy, String activationStrategy) {
    return new Provenance(
        LIBRARY,
        DEEPLEARNING4J,
        sourceSha256,
        weightStrategy,
        activationStrategy,
        0,
        0,
        ImmutableMap.of(),
        ImmutableMap.of());
  }

  /** Returns this for other weights, chosen in another way. */
  Provenance ofWeights(String source, String strategy) {
    return new Provenance(
        library,
        deeplearning4j,
        source,
        strategy,
        activationStrategy,
        calibrationExamples,
        leftOutExamples,
        folded,
        families);
  }

  /** Returns this with the number of examples that calibration saw, and that it left out. */
  Provenance calibratedOn(long examples, long leftOut) {
    return new Provenance(
        library,
        deeplearning4j,
        sourceSha256,
        weightStrategy,
        activationStrategy,
        examples,
        leftOut,
        folded,
        families);
  }

  /** Returns this with what folding took over, and the families of distributions. */
  Provenance with(ImmutableMap<String, String> taken, ImmutableMap<String, String> distributions) {
    return new Provenance(
        library,
        deeplearning4j,
        sourceSha256,
        weightStrategy,
        activationStrategy,
        calibrationExamples,
        leftOutExamples,
        taken,
        distributions);
  }
}
