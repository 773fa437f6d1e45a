package org.dl4jquant.strategy;

import java.util.Arrays;

/** Magnitudes in ascending order, with the sums of their squares. */
final class SortedMagnitudes {
  private final float[] magnitudes;

  /** Compensated: each is the exact sum of squares to about one ulp, however many there are. */
  private final double[] prefix;

  private SortedMagnitudes(float[] magnitudes) {
    this.magnitudes = magnitudes;
    this.prefix = new double[magnitudes.length + 1];
    double sum = 0;
    double lost = 0;
    for (int i = 0; i < magnitudes.length; i++) {
      double square = (double) magnitudes[i] * magnitudes[i];
      double next = sum + square;
      lost += sum >= square ? sum - next + square : square - next + sum;
      sum = next;
      prefix[i + 1] = sum + lost;
    }
  }

  /** Keeps {@code magnitudes}, which are finite and not negative, and sorts them. */
  static SortedMagnitudes of(float[] magnitudes) {
    Arrays.parallelSort(magnitudes);
    return new SortedMagnitudes(magnitudes);
  }

  int length() {
    return magnitudes.length;
  }

  double get(int index) {
    return magnitudes[index];
  }

  /** Returns the sum of squares from {@code from} to {@code to}, exclusive; never negative. */
  double squares(int from, int to) {
    return Math.max(0, prefix[to] - prefix[from]);
  }

  /** Returns the root mean square of a cluster that is not empty. */
  double rootMeanSquare(int from, int to) {
    double root = Math.sqrt(squares(from, to) / (to - from));
    return Math.max(magnitudes[from], Math.min(magnitudes[to - 1], root));
  }

  /** Returns how many of the magnitudes are zero. */
  int zeros() {
    int index = Arrays.binarySearch(magnitudes, Math.nextUp(0f));
    int zeros = index >= 0 ? index : -index - 1;
    while (zeros > 0 && magnitudes[zeros - 1] > 0) {
      zeros--;
    }
    return zeros;
  }

  /** Returns how many different magnitudes there are from {@code from} on, at most limit + 1. */
  int distinct(int from, int limit) {
    int distinct = 0;
    for (int i = from; i < magnitudes.length && distinct <= limit; i++) {
      if (i == from || magnitudes[i] != magnitudes[i - 1]) {
        distinct++;
      }
    }
    return distinct;
  }

  /** Returns the first index at which the sum of squares reaches {@code sum}. */
  int indexOfSum(double sum) {
    int index = Arrays.binarySearch(prefix, sum);
    return index >= 0 ? index : Math.min(magnitudes.length, -index - 1);
  }
}
