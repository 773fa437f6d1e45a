package org.dl4jquant.convert;

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
 */
public record Provenance(
    String library,
    String deeplearning4j,
    String sourceSha256,
    String weightStrategy,
    String activationStrategy,
    long calibrationExamples,
    long leftOutExamples) {
  /** The version of this library. */
  public static final String LIBRARY = "dl4j-quant 0.1.0-SNAPSHOT";

  /** The version of Deeplearning4j that this library is built for. */
  public static final String DEEPLEARNING4J = "1.0.0-M2.1";

  static Provenance of(String sourceSha256, String weightStrategy, String activationStrategy) {
    return new Provenance(
        LIBRARY, DEEPLEARNING4J, sourceSha256, weightStrategy, activationStrategy, 0, 0);
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
        leftOutExamples);
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
        leftOut);
  }
}
