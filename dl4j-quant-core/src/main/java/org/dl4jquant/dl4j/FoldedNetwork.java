package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network in the form that is quantized: it computes the same with simpler layers.
 *
 * <ul>
 *   <li>Each separable convolution becomes a depthwise one, called {@code name/depthwise}, and a
 *       convolution with a 1 by 1 kernel, because what flows between the two must be seen.
 *   <li>Each batch normalization right after a dense layer or convolution without an activation
 *       function, whose value goes nowhere else, is folded into that layer's weights and bias: a
 *       layer of identity remains in its place.
 *   <li>Every other batch normalization has its parameters rewritten as a factor, {@code gamma},
 *       and a shift, {@code beta}.
 * </ul>
 *
 * <p>Numbers are computed in double and rounded to float once.
 *
 * @param network a network of its own; its layers have the same names
 * @param folded for each batch normalization that vanished the layer that took it over
 * @param split the separable convolutions that became two layers
 */
public record FoldedNetwork(
    Dl4jNetwork network, ImmutableMap<String, String> folded, ImmutableSet<String> split) {
  /** The suffix of the layer that a separable convolution's depthwise half becomes. */
  public static final String DEPTHWISE = "/depthwise";

  /** Returns the folded form of a network, which is only read. */
  public static FoldedNetwork of(Dl4jNetwork original) {
    SeparableSplit split = SeparableSplit.of(original);
    BatchNormFold fold = BatchNormFold.of(split.network());
    return new FoldedNetwork(
        fold.network().withInputShapes(original.inputShapes()), fold.folded(), split.layers());
  }

  /**
   * Returns the largest difference between what both networks give for {@code inputs}, relative to
   * the largest finite magnitude of the output it occurs in. Where the original gives NaN or
   * infinity, such as for features that are, nothing is compared; where only the folded network
   * does, the difference is not a number.
   */
  public double maxDifference(Dl4jNetwork original, INDArray... inputs) {
    ImmutableList<INDArray> expected = original.output(inputs);
    ImmutableList<INDArray> actual = network.output(inputs);
    double worst = 0;
    for (int i = 0; i < expected.size(); i++) {
      worst = Math.max(worst, difference(doubles(expected.get(i)), doubles(actual.get(i))));
    }
    return worst;
  }

  private static double[] doubles(INDArray array) {
    return array.dup('c').data().asDouble();
  }

  private static double difference(double[] expected, double[] actual) {
    double magnitude = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      if (Double.isFinite(expected[i])) {
        magnitude = Math.max(magnitude, Math.abs(expected[i]));
        difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
      }
    }
    return difference == 0 ? 0 : difference / magnitude;
  }

  /**
   * Checks that both networks give the same.
   *
   * @param tolerance for {@link #maxDifference}
   * @throws IllegalStateException if the difference is larger, or not a number
   */
  public void requireSame(Dl4jNetwork original, double tolerance, INDArray... inputs) {
    double difference = maxDifference(original, inputs);
    if (!(difference <= tolerance)) {
      throw new IllegalStateException(
          "folding %s must not change the network by more than %s, found %s"
              .formatted(folded.keySet(), tolerance, difference));
    }
  }
}
