package org.dl4jquant.stats;

/**
 * Count, mean and the sums {@code sum (x - mean)^p} for p from 2 to 6, merged by the general
 * formula of P. Pebay, "Formulas for robust, one-pass parallel computation of covariances and
 * arbitrary-order statistical moments", Sandia report SAND2008-6212.
 */
final class CentralSums {
  static final int ORDER = 6;

  private static final double[][] BINOMIAL = {
    {1},
    {1, 1},
    {1, 2, 1},
    {1, 3, 3, 1},
    {1, 4, 6, 4, 1},
    {1, 5, 10, 10, 5, 1},
    {1, 6, 15, 20, 15, 6, 1}
  };

  private final double[] sums = new double[ORDER + 1];
  private long count;
  private double mean;

  long count() {
    return count;
  }

  double mean() {
    return mean;
  }

  /** Returns {@code sum (x - mean)^order}, for an order from 2 to 6. */
  double sum(int order) {
    return sums[order];
  }

  void add(double value) {
    merge(1, value, new double[ORDER + 1]);
  }

  void add(CentralSums other) {
    merge(other.count, other.mean, other.sums.clone());
  }

  /**
   * Adds a batch of which {@code powers[p] = sum (x - center)^p} is known, the count at 0. What the
   * center misses of the batch's mean is corrected, which needs the powers to be of small numbers.
   */
  void addBatch(double center, double[] powers) {
    double shift = powers[1] / powers[0];
    double[] shifted = new double[ORDER + 1];
    for (int p = 2; p <= ORDER; p++) {
      double factor = 1;
      for (int k = 0; k <= p; k++) {
        shifted[p] += BINOMIAL[p][k] * factor * powers[p - k];
        factor *= -shift;
      }
    }
    merge((long) powers[0], center + shift, shifted);
  }

  private void merge(long otherCount, double otherMean, double[] others) {
    if (otherCount == 0) {
      return;
    }
    if (count == 0) {
      count = otherCount;
      mean = otherMean;
      System.arraycopy(others, 0, sums, 0, sums.length);
      return;
    }
    double n = (double) count + otherCount;
    double delta = otherMean - mean;
    double ours = -delta * otherCount / n;
    double theirs = delta * count / n;
    for (int p = ORDER; p >= 2; p--) {
      double sum = sums[p] + others[p];
      double a = 1;
      double b = 1;
      for (int k = 1; k <= p - 2; k++) {
        a *= ours;
        b *= theirs;
        sum += BINOMIAL[p][k] * (a * sums[p - k] + b * others[p - k]);
      }
      // the groups' own counts, moved to the common mean
      sum += count * Math.pow(ours, p) + otherCount * Math.pow(theirs, p);
      sums[p] = sum;
    }
    mean += delta * otherCount / n;
    count += otherCount;
  }
}
