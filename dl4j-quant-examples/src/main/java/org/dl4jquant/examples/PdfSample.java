package org.dl4jquant.examples;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.ChannelProfileAccumulator;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.PdfClassifier;
import org.dl4jquant.strategy.PdfFamily;

/**
 * A channel and one width: what each family's format makes of the channel, and what the best one
 * would.
 *
 * <p>A few of the values are profiled, all of them are quantized, as it is with calibration.
 */
final class PdfSample {
  private static final int FINEST = 14; // steps beyond the format that covers the largest magnitude

  private static final double EQUAL = 1e-9; // decibels

  private final ChannelProfile profile;
  private final int bitWidth;
  private final boolean signed;
  private final double deviation;
  private final int widest;
  private final double[] decibels;

  private PdfSample(
      ChannelProfile profile, float[] seen, float[] values, int bitWidth, boolean signed) {
    this.profile = profile;
    this.bitWidth = bitWidth;
    this.signed = signed;
    this.deviation = deviation(seen, signed);
    this.widest = FormatStrategy.maxAbs().choose(profile, bitWidth, signed).fractionalLength();
    this.decibels = new double[FINEST + 8];
    for (int i = 0; i < decibels.length; i++) {
      decibels[i] = decibels(values, format(i - 7 + widest));
    }
  }

  /**
   * Returns a sample.
   *
   * @param seen the values that are profiled, at least 100 that count
   * @param values all of them
   */
  static PdfSample of(float[] seen, float[] values, int bitWidth, boolean signed) {
    ChannelProfileAccumulator accumulator = ChannelProfileAccumulator.create();
    accumulator.acceptAll(seen, 0, seen.length, 1);
    return new PdfSample(accumulator.snapshot(), seen, values, bitWidth, signed);
  }

  /** Returns whether a profile of these values tells a family. */
  static boolean tells(float[] seen, boolean signed) {
    int count = 0;
    float largest = 0;
    float least = Float.MAX_VALUE;
    for (float value : seen) {
      if (signed ? value != 0 : value > 0) {
        count++;
        largest = Math.max(largest, Math.abs(value));
        least = Math.min(least, Math.abs(value));
      }
    }
    return count >= FormatStrategy.MIN_CHANNEL_COUNT && largest > 1.05f * least;
  }

  private static double deviation(float[] values, boolean signed) {
    double squares = 0;
    int count = 0;
    for (float value : values) {
      if (signed ? value != 0 : value > 0) {
        squares += (double) value * value;
        count++;
      }
    }
    return Math.sqrt(squares / count);
  }

  private FixedPointFormat format(int length) {
    return signed
        ? FixedPointFormat.signed(bitWidth, length)
        : FixedPointFormat.unsigned(bitWidth, length);
  }

  private static double decibels(float[] values, FixedPointFormat format) {
    double scale = format.scale();
    double inverse = 1 / scale;
    double min = format.minCode();
    double max = format.maxCode();
    double signal = 0;
    double noise = 0;
    for (float value : values) {
      double error = value - Math.max(min, Math.min(max, Math.rint(value * inverse))) * scale;
      signal += (double) value * value;
      noise += error * error;
    }
    return 10 * Math.log10(signal / Math.max(noise, 1e-12 * signal));
  }

  int bitWidth() {
    return bitWidth;
  }

  ImmutableDoubleArray features() {
    return PdfClassifier.features(profile, bitWidth, signed);
  }

  /** Returns the fractional length by a family, no shorter than that of the range rule. */
  int length(PdfFamily family) {
    return Math.max(widest, family.fractionalLength(deviation, bitWidth + (signed ? 0 : 1)));
  }

  /** Returns the decibels that a fractional length loses against the best one. */
  double loss(int length) {
    int index = Math.max(0, Math.min(decibels.length - 1, length - widest + 7));
    return Arrays.stream(decibels).max().orElseThrow() - decibels[index];
  }

  /** Returns whether no other fractional length is better. */
  boolean isBest(int length) {
    return loss(length) <= EQUAL;
  }

  int widest() {
    return widest;
  }

  /** Returns the fractional length that a strategy chooses by the profile. */
  int length(FormatStrategy strategy) {
    return strategy.choose(profile, bitWidth, signed).fractionalLength();
  }

  /** Returns the family by the nearest kurtosis. */
  PdfFamily nearestKurtosis() {
    return FormatStrategy.pdfByKurtosis().family(profile, bitWidth, signed).orElseThrow();
  }

  /** Returns the family with the least loss; of equally good ones the nearest by kurtosis. */
  PdfFamily label() {
    List<PdfFamily> families = Arrays.asList(PdfFamily.values());
    int nearest = families.indexOf(nearestKurtosis());
    int best = nearest;
    for (int k = 0; k < families.size(); k++) {
      double gain = loss(length(families.get(best))) - loss(length(families.get(k)));
      boolean closer = Math.abs(k - nearest) < Math.abs(best - nearest);
      best = gain > EQUAL || (closer && gain > -EQUAL) ? k : best;
    }
    return families.get(best);
  }

  /**
   * Returns minus the decibels that each family loses against the best of them.
   *
   * @param most what counts at most
   */
  float[] scores(double most) {
    PdfFamily[] families = PdfFamily.values();
    double least = Arrays.stream(families).mapToDouble(f -> loss(length(f))).min().orElseThrow();
    float[] scores = new float[families.length];
    for (int k = 0; k < scores.length; k++) {
      scores[k] = (float) -Math.min(most, loss(length(families[k])) - least);
    }
    return scores;
  }
}
