package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Moments;

/**
 * Names the family that serves best to choose the format of a channel, from its profile: a small
 * network that was trained on profiles of known and of real channels, labeled by the squared error
 * that each family's format makes. Immutable and thread-safe.
 *
 * <p>It reads {@value #FEATURES} numbers, none of which changes when all values are scaled: of the
 * mirrored values (magnitudes, or the positive values for an unsigned format; zeros left out) the
 * logarithms of kurtosis and sixth moment, the mean magnitude and the largest, in deviations, and
 * how many there are; of a signed channel skewness, the fifth moment and the mean; and the bits,
 * because the tail that decides at 8 bits is another than at 4.
 */
public final class PdfClassifier {
  /** How many numbers describe a profile. */
  public static final int FEATURES = 9;

  private static final double LIMIT = 10;
  private static final ImmutableList<PdfFamily> FAMILIES = ImmutableList.copyOf(PdfFamily.values());

  private final PerceptronLayers layers;

  private PdfClassifier(PerceptronLayers layers) {
    this.layers = layers;
  }

  /** Returns the classifier that the library brings. */
  public static PdfClassifier bundled() {
    return Bundled.CLASSIFIER;
  }

  /**
   * Returns the classifier that a text describes.
   *
   * @throws IllegalArgumentException if the text is not one that {@link #text} gave
   */
  public static PdfClassifier parse(String text) {
    PerceptronLayers layers = PerceptronLayers.parse(text);
    Checks.that(
        layers.inputs() == FEATURES && layers.outputs() == FAMILIES.size(),
        "text",
        "describe a network of %d inputs and %d outputs".formatted(FEATURES, FAMILIES.size()),
        layers.inputs() + " and " + layers.outputs());
    return new PdfClassifier(layers);
  }

  /**
   * Returns a description, which {@link #parse} reads: a version, a SHA-256 of the rest, and the
   * numbers of each layer.
   *
   * @param means of the features
   * @param deviations of the features, positive
   * @param weights of each layer {@code [inputs][outputs]}, rectified but for the last
   * @param biases of each layer
   */
  public static String text(
      double[] means, double[] deviations, float[][][] weights, float[][] biases) {
    return PerceptronLayers.text(means, deviations, weights, biases);
  }

  /**
   * Returns what the classifier reads of a profile; not a number where that has no value that
   * counts.
   *
   * @param bitWidth of the format that is sought, 2 to 16
   * @param signed whether that format has a sign
   */
  public static ImmutableDoubleArray features(
      ChannelProfile profile, int bitWidth, boolean signed) {
    return features(profile, MirroredShape.of(profile, signed), bitWidth, signed);
  }

  private static ImmutableDoubleArray features(
      ChannelProfile profile, MirroredShape shape, int bitWidth, boolean signed) {
    Moments moments = profile.moments();
    boolean spread = signed && moments.variance() > 0;
    double fifth = spread ? moments.standardized(5) : 0;
    return ImmutableDoubleArray.of(
        limited(Math.log(shape.kurtosis())),
        limited(Math.log(shape.sixth())),
        limited(shape.meanAbs()),
        limited(Math.log(shape.reach())),
        limited(Math.log10((double) shape.count())),
        spread ? limited(Math.abs(moments.skewness())) : 0,
        limited(Math.signum(fifth) * Math.pow(Math.abs(fifth), 0.2)),
        signed ? limited(moments.mean() / shape.deviation()) : 0,
        signed ? bitWidth : bitWidth + 1);
  }

  private static double limited(double feature) {
    return Math.max(-LIMIT, Math.min(LIMIT, feature));
  }

  /** Returns the family of a profile that has values that count and are not all the same. */
  PdfFamily family(ChannelProfile profile, MirroredShape shape, int bitWidth, boolean signed) {
    return family(features(profile, shape, bitWidth, signed));
  }

  /**
   * Returns the family for the features of a profile.
   *
   * @param features those of {@link #features}
   */
  public PdfFamily family(ImmutableDoubleArray features) {
    double[] scores = layers.apply(features.toArray());
    int best = 0;
    for (int k = 1; k < scores.length; k++) {
      best = scores[k] > scores[best] ? k : best;
    }
    return FAMILIES.get(best);
  }

  /** Read when it is first needed. */
  private static final class Bundled {
    static final PdfClassifier CLASSIFIER = parse(PerceptronLayers.resource("pdf-classifier.txt"));
  }
}
