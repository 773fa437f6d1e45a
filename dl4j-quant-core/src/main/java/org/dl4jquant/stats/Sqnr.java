package org.dl4jquant.stats;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.dl4jquant.internal.Checks;

/**
 * Signal to quantization noise, {@code 10 log10(sum x^2 / sum (x - q)^2)} decibels, of the pairs
 * that were fed; it merges. It is no {@link Accumulator} only because it takes two numbers at a
 * time.
 *
 * <p>Pairs with a number that is NaN, infinite or beyond the range of {@code float} are counted and
 * otherwise ignored. The sums are kept in {@code double}: the result depends on the order by less
 * than 1e-6 dB for up to 10^9 pairs. Not thread-safe.
 */
public final class Sqnr {
  private double signal;
  private double noise;
  private long nonFinite;

  private Sqnr() {}

  /** Returns an instance that has seen nothing. */
  public static Sqnr create() {
    return new Sqnr();
  }

  /** Returns the decibels of two arrays of one length, those of {@link #decibels}. */
  public static double decibels(float[] original, float[] quantized) {
    Sqnr sqnr = create();
    sqnr.acceptAll(original, quantized);
    return sqnr.decibels();
  }

  /** Adds a value and what became of it. */
  public void accept(double original, double quantized) {
    if (!FloatRange.holds(original) || !FloatRange.holds(quantized)) {
      nonFinite++;
      return;
    }
    double error = original - quantized;
    signal += original * original;
    noise += error * error;
  }

  /**
   * Adds the elements of two arrays pair by pair.
   *
   * @throws IllegalArgumentException if the lengths differ
   */
  public void acceptAll(float[] original, float[] quantized) {
    Checks.that(
        original.length == quantized.length,
        "quantized",
        "have as many elements as original, " + original.length,
        quantized.length);
    for (int i = 0; i < original.length; i++) {
      accept(original[i], quantized[i]);
    }
  }

  /** Adds everything that {@code other} has seen and returns this. */
  @CanIgnoreReturnValue
  public Sqnr combine(Sqnr other) {
    signal += other.signal;
    noise += other.noise;
    nonFinite += other.nonFinite;
    return this;
  }

  /** Returns the number of pairs that were skipped. */
  public long nonFinite() {
    return nonFinite;
  }

  /**
   * Returns the decibels so far: infinite if nothing was lost, also where nothing was fed; minus
   * infinite if there was noise without any signal.
   */
  public double decibels() {
    return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
  }
}
