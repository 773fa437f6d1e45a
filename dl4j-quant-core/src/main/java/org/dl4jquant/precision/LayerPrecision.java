package org.dl4jquant.precision;

import org.dl4jquant.internal.Checks;

/**
 * The bit widths of one layer.
 *
 * @param weightBits 2 to 16, or 32 for floats
 * @param activationBits of the layer's output; 4 to 16, or 32 for floats
 * @param biasBits 16 to 32; 32 means as many as the accumulator needs, or floats where weights are
 *     floats
 */
public record LayerPrecision(int weightBits, int activationBits, int biasBits) {
  /** The bit width that stands for floats. */
  public static final int FLOAT_BITS = 32;

  /** The bias width where none is asked for. */
  public static final int DEFAULT_BIAS_BITS = 16;

  /** Everything stays as it is. */
  public static final LayerPrecision FLOAT = new LayerPrecision(FLOAT_BITS, FLOAT_BITS, FLOAT_BITS);

  private static final int MIN_WEIGHT_BITS = 2;
  private static final int MIN_ACTIVATION_BITS = 4;
  private static final int MAX_CODE_BITS = 16;

  public LayerPrecision {
    requireBits("weightBits", weightBits, MIN_WEIGHT_BITS);
    requireBits("activationBits", activationBits, MIN_ACTIVATION_BITS);
    Checks.inRange("biasBits", biasBits, DEFAULT_BIAS_BITS, FLOAT_BITS);
  }

  /** Returns weights of {@code weightBits}, float activations and biases of 16 bits. */
  public static LayerPrecision weights(int weightBits) {
    return new LayerPrecision(weightBits, FLOAT_BITS, DEFAULT_BIAS_BITS);
  }

  /** Returns weights and activations of the given widths and biases of 16 bits. */
  public static LayerPrecision of(int weightBits, int activationBits) {
    return new LayerPrecision(weightBits, activationBits, DEFAULT_BIAS_BITS);
  }

  /** Returns this precision with another weight width. */
  public LayerPrecision withWeightBits(int bits) {
    return new LayerPrecision(bits, activationBits, biasBits);
  }

  /** Returns this precision with another activation width. */
  public LayerPrecision withActivationBits(int bits) {
    return new LayerPrecision(weightBits, bits, biasBits);
  }

  /** Returns this precision with another bias width. */
  public LayerPrecision withBiasBits(int bits) {
    return new LayerPrecision(weightBits, activationBits, bits);
  }

  /** Returns whether the weights stay floats. */
  public boolean keepsFloatWeights() {
    return weightBits == FLOAT_BITS;
  }

  /** Returns whether the activations stay floats. */
  public boolean keepsFloatActivations() {
    return activationBits == FLOAT_BITS;
  }

  private static void requireBits(String parameter, int bits, int min) {
    Checks.that(
        bits == FLOAT_BITS || (bits >= min && bits <= MAX_CODE_BITS),
        parameter,
        "be between " + min + " and " + MAX_CODE_BITS + ", or " + FLOAT_BITS + " for floats",
        bits);
  }
}
