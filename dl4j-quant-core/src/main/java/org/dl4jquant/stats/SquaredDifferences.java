package org.dl4jquant.stats;

import java.util.Objects;
import org.dl4jquant.internal.Checks;

/**
 * Sums of {@code (current - reference)^2} over parts of two flat tensors, in double precision and
 * in a fixed order, so that equal input gives equal sums. A NaN or infinite element makes its sum
 * NaN or infinite. Stateless.
 */
public final class SquaredDifferences {
  private SquaredDifferences() {}

  /** Returns the sum over {@code count} elements from the given positions. */
  public static double sum(
      float[] current, int currentFrom, float[] reference, int referenceFrom, int count) {
    Objects.checkFromIndexSize(currentFrom, count, current.length);
    Objects.checkFromIndexSize(referenceFrom, count, reference.length);
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      double da = (double) current[currentFrom + i] - reference[referenceFrom + i];
      double db = (double) current[currentFrom + i + 1] - reference[referenceFrom + i + 1];
      double dc = (double) current[currentFrom + i + 2] - reference[referenceFrom + i + 2];
      double dd = (double) current[currentFrom + i + 3] - reference[referenceFrom + i + 3];
      a += da * da;
      b += db * db;
      c += dc * dc;
      d += dd * dd;
    }
    for (; i < count; i++) {
      double da = (double) current[currentFrom + i] - reference[referenceFrom + i];
      a += da * da;
    }
    return (a + b) + (c + d);
  }

  /** Returns the sum over {@code count} elements from the given positions. */
  public static double sum(
      double[] current, int currentFrom, double[] reference, int referenceFrom, int count) {
    Objects.checkFromIndexSize(currentFrom, count, current.length);
    Objects.checkFromIndexSize(referenceFrom, count, reference.length);
    double a = 0;
    double b = 0;
    int i = 0;
    for (; i + 1 < count; i += 2) {
      double da = current[currentFrom + i] - reference[referenceFrom + i];
      double db = current[currentFrom + i + 1] - reference[referenceFrom + i + 1];
      a += da * da;
      b += db * db;
    }
    if (i < count) {
      double da = current[currentFrom + i] - reference[referenceFrom + i];
      a += da * da;
    }
    return a + b;
  }

  /**
   * Where the output channel of an element lies: element i belongs to channel {@code i / stride mod
   * channels}.
   *
   * @param channels the number of channels
   * @param stride how many neighbors in memory share a channel
   */
  public record Channels(int channels, long stride) {
    public Channels {
      Checks.positive("channels", channels);
      Checks.that(stride >= 1, "stride", "be at least 1", stride);
    }

    /**
     * Adds the squared difference of one element to its channel's sum.
     *
     * @param element the element's index in the whole tensor
     */
    public void add(double[] sums, long element, double current, double reference) {
      double difference = current - reference;
      sums[(int) (element / stride % channels)] += difference * difference;
    }
  }
}
