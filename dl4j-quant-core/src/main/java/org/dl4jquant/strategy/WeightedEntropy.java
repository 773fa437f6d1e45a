package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.internal.Checks;

/**
 * Chooses weight levels of maximal weighted entropy: few levels for small weights, which matter
 * little, and for large ones, which are rare (publication US20180341857A1; Park, Ahn and Yoo, CVPR
 * 2017).
 *
 * <p>The importance of a weight is its square; the score is {@code -sum(I * P * ln P)} over
 * clusters with mean importance {@code I} and relative frequency {@code P}. Each cluster becomes
 * one level, its root mean square. An odd number of levels has a zero, an even one normally has
 * none. This does not minimize the squared error: on normal weights 16 levels reach 15.4 dB, a
 * uniform step 19.3 dB. It is meant for fine-tuning, not for rounding a trained network.
 *
 * <p>Cuts climb from two starts, equal counts and the optimum among some 250 candidates, so up to
 * 128 magnitudes give the exact optimum, and more of them on request. Time is dominated by one
 * sort. Immutable and thread-safe; equal inputs give equal results on every machine.
 *
 * @param levels how many levels, 2 to 65536; the result has fewer if there are not as many
 *     different weights
 * @param signs whether both signs share their magnitudes
 * @param passLimit how many sweeps over the cuts one ascent may make; at least 1
 * @param sampleLimit above this number of weights the search sees a sample of that size: one weight
 *     at random, from a fixed seed, out of each of as many runs of equal length; at least 1
 * @param exact true to search exactly, for at most {@value #EXACT_LIMIT} magnitudes
 */
public record WeightedEntropy(
    int levels, SignHandling signs, int passLimit, int sampleLimit, boolean exact) {
  /** The largest number of magnitudes for which an exact search can be asked for. */
  public static final int EXACT_LIMIT = 2_000;

  /** The default limit of sweeps. */
  public static final int DEFAULT_PASS_LIMIT = 300;

  private static final long SAMPLE_SEED = 0x9E3779B97F4A7C15L;

  public WeightedEntropy {
    Checks.inRange("levels", levels, 2, 1 << Codebook.MAX_BIT_WIDTH);
    Checks.positive("passLimit", passLimit);
    Checks.positive("sampleLimit", sampleLimit);
  }

  /** Returns the symmetric search for {@code levels} levels over all weights. */
  public static WeightedEntropy of(int levels) {
    return new WeightedEntropy(
        levels, SignHandling.SYMMETRIC, DEFAULT_PASS_LIMIT, Integer.MAX_VALUE, false);
  }

  /** Returns this search with another treatment of signs. */
  public WeightedEntropy withSigns(SignHandling handling) {
    return new WeightedEntropy(levels, handling, passLimit, sampleLimit, exact);
  }

  /** Returns this search with another limit of sweeps. */
  public WeightedEntropy withPassLimit(int limit) {
    return new WeightedEntropy(levels, signs, limit, sampleLimit, exact);
  }

  /** Returns this search over a sample where there are more weights than {@code limit}. */
  public WeightedEntropy withSampleLimit(int limit) {
    return new WeightedEntropy(levels, signs, passLimit, limit, exact);
  }

  /** Returns this search made exact; time grows with the square of the number of weights. */
  public WeightedEntropy withExactSearch() {
    return new WeightedEntropy(levels, signs, passLimit, sampleLimit, true);
  }

  /** Returns the bits of the codes of all codebooks that this search chooses. */
  public int bitWidth() {
    return Codebook.bitWidthOf(levels);
  }

  /** Returns true if one of the levels is zero. */
  boolean hasZero() {
    return levels % 2 != 0;
  }

  int clustersPerSign() {
    return (levels + 1) / 2;
  }

  /** Returns the codebook for {@code weights}; see {@link #cluster(float[])}. */
  public Codebook choose(float... weights) {
    return cluster(weights).codebook(bitWidth());
  }

  /**
   * Returns the clusters of {@code weights}.
   *
   * @throws IllegalArgumentException if there are none, or if one is NaN or infinite
   */
  public WeightClusters cluster(float... weights) {
    return cluster(weights, Optional.empty());
  }

  /**
   * Returns the clusters of {@code weights}, found by one ascent from the cuts of {@code previous}:
   * faster while weights change little. The number of weights may differ.
   *
   * @throws IllegalArgumentException if there are no weights, or if one is NaN or infinite
   */
  public WeightClusters cluster(float[] weights, WeightClusters previous) {
    return cluster(weights, Optional.of(previous));
  }

  private WeightClusters cluster(float[] weights, Optional<WeightClusters> previous) {
    Checks.that(weights.length > 0, "weights", "have at least one element", weights.length);
    requireFinite(weights);
    float[] sample = sample(weights);
    int n = sample.length;
    if (signs == SignHandling.SYMMETRIC) {
      for (int i = 0; i < n; i++) {
        sample[i] = Math.abs(sample[i]);
      }
      MagnitudeClusters both =
          search(sample, n, 2.0 * n, previous.map(WeightClusters::nonNegative));
      return new WeightClusters(both, both, both.score());
    }
    float[] negatives = magnitudes(sample, true);
    float[] others = magnitudes(sample, false);
    MagnitudeClusters negative = search(negatives, n, n, previous.map(WeightClusters::negative));
    MagnitudeClusters nonNegative = search(others, n, n, previous.map(WeightClusters::nonNegative));
    return new WeightClusters(negative, nonNegative, negative.score() + nonNegative.score());
  }

  private MagnitudeClusters search(
      float[] magnitudes, double total, double states, Optional<MagnitudeClusters> previous) {
    SortedMagnitudes sorted = SortedMagnitudes.of(magnitudes);
    return new MagnitudeSearch(this, sorted, total, states).search(previous);
  }

  /**
   * Returns one codebook per channel, all from one search: weights are divided by the root mean
   * square of their channel, clustered together, and the levels multiplied by it again. The codes
   * of all channels have {@link #bitWidth} bits. A channel of zeros gets the only level 0.
   *
   * @param weights in row-major order of {@code shape}
   * @throws IllegalArgumentException if the number of weights is not the shape's or is 0, or if one
   *     is NaN or infinite
   */
  public ImmutableList<Codebook> choosePerChannel(
      float[] weights, Granularity granularity, int... shape) {
    int[] channels = granularity.channelOfEach(shape);
    Checks.that(
        channels.length == weights.length,
        "weights",
        "have as many elements as shape " + Arrays.toString(shape),
        weights.length);
    requireFinite(weights);
    double[] scales = scales(weights, channels, granularity.channels(shape));
    float[] normalized = new float[weights.length];
    int used = 0;
    for (int i = 0; i < weights.length; i++) {
      if (scales[channels[i]] > 0) {
        normalized[used++] = (float) (weights[i] / scales[channels[i]]);
      }
    }
    Codebook shared = used == 0 ? choose(weights) : choose(Arrays.copyOf(normalized, used));
    return Arrays.stream(scales).mapToObj(shared::scaled).collect(ImmutableList.toImmutableList());
  }

  private static double[] scales(float[] weights, int[] channels, int count) {
    double[] scales = new double[count];
    int[] sizes = new int[count];
    for (int i = 0; i < weights.length; i++) {
      scales[channels[i]] += (double) weights[i] * weights[i];
      sizes[channels[i]]++;
    }
    for (int channel = 0; channel < count; channel++) {
      scales[channel] = sizes[channel] == 0 ? 0 : Math.sqrt(scales[channel] / sizes[channel]);
    }
    return scales;
  }

  private static void requireFinite(float[] weights) {
    for (int i = 0; i < weights.length; i++) {
      if (!Float.isFinite(weights[i])) {
        throw Checks.violated("weights", "be finite", weights[i] + " at index " + i);
      }
    }
  }

  /** Returns a new array. */
  private float[] sample(float[] weights) {
    if (weights.length <= sampleLimit) {
      return weights.clone();
    }
    SplittableRandom random = new SplittableRandom(SAMPLE_SEED);
    float[] sample = new float[sampleLimit];
    for (int i = 0; i < sampleLimit; i++) {
      int from = (int) ((long) weights.length * i / sampleLimit);
      int to = (int) ((long) weights.length * (i + 1) / sampleLimit);
      sample[i] = weights[random.nextInt(from, to)];
    }
    return sample;
  }

  private static float[] magnitudes(float[] weights, boolean negative) {
    float[] magnitudes = new float[weights.length];
    int count = 0;
    for (float weight : weights) {
      if (weight < 0 == negative) {
        magnitudes[count++] = Math.abs(weight);
      }
    }
    return Arrays.copyOf(magnitudes, count);
  }
}
