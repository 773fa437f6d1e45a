package org.dl4jquant.stats;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.dl4jquant.internal.Checks;

/**
 * Spearman's rank correlation: Pearson's correlation of the ranks, where equal values share the
 * mean of their ranks (C. Spearman, 1904). It says how well one quantity orders things as another
 * does, whatever the scales. Stateless.
 */
public final class Spearman {
  private Spearman() {}

  /**
   * Returns the correlation of two paired samples, from -1 (opposite order) to 1 (same order), or
   * empty if it is not defined: fewer than two pairs, or all values of one sample equal.
   *
   * <p>Infinite values have ranks like others; 0.0 and -0.0 are equal.
   *
   * @throws IllegalArgumentException if the lengths differ, or if a value is NaN
   */
  public static OptionalDouble correlation(double[] x, double[] y) {
    Checks.that(x.length == y.length, "y", "have as many elements as x, " + x.length, y.length);
    long[] xs = doubledRanks("x", x);
    long[] ys = doubledRanks("y", y);
    long mean = x.length + 1L;
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int i = 0; i < xs.length; i++) {
      double dx = xs[i] - mean;
      double dy = ys[i] - mean;
      xx += dx * dx;
      yy += dy * dy;
      xy += dx * dy;
    }
    if (xx == 0 || yy == 0) {
      return OptionalDouble.empty();
    }
    double correlation = xy / Math.sqrt(xx * yy);
    return OptionalDouble.of(Math.max(-1, Math.min(1, correlation)));
  }

  /**
   * Returns the rank of every value: 1 for the smallest, the mean of their ranks for equal ones.
   *
   * @throws IllegalArgumentException if a value is NaN
   */
  public static double[] ranks(double... values) {
    return Arrays.stream(doubledRanks("values", values)).mapToDouble(rank -> rank / 2.0).toArray();
  }

  /** Twice the ranks, so that the mean of equal ones is an integer. */
  private static long[] doubledRanks(String parameter, double[] values) {
    for (int i = 0; i < values.length; i++) {
      if (Double.isNaN(values[i])) {
        throw Checks.violated(parameter, "be numbers", "NaN at index " + i);
      }
    }
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted((a, b) -> Double.compare(values[a] + 0.0, values[b] + 0.0))
            .mapToInt(Integer::intValue)
            .toArray();
    long[] ranks = new long[values.length];
    int from = 0;
    while (from < order.length) {
      int to = from + 1;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = from + to + 1L;
      }
      from = to;
    }
    return ranks;
  }
}
