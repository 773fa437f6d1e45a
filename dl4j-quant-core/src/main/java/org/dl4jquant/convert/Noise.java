package org.dl4jquant.convert;

/** Signal to quantization noise. */
final class Noise {
  private Noise() {}

  /**
   * Returns {@code 10 log10(sum x^2 / sum (x - q)^2)}: infinite if nothing was lost, also where
   * nothing was there.
   */
  static double sqnrDb(float[] original, float[] quantized) {
    double signal = 0;
    double noise = 0;
    for (int i = 0; i < original.length; i++) {
      double error = (double) original[i] - quantized[i];
      signal += (double) original[i] * original[i];
      noise += error * error;
    }
    return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
  }
}
