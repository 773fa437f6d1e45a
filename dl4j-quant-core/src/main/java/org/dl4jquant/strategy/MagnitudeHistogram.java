package org.dl4jquant.strategy;

import java.util.Arrays;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.Histogram;

/**
 * Counts of magnitudes, or of positive values only, exact zeros left out: bin {@code i} holds those
 * from {@code i * 2^exponent} to, excluded, {@code (i + 1) * 2^exponent}.
 */
final class MagnitudeHistogram {
  private final int exponent;
  private final long[] counts;
  private final long total;

  MagnitudeHistogram(int exponent, long... counts) {
    this.exponent = exponent;
    this.counts = counts;
    this.total = Arrays.stream(counts).sum();
  }

  static MagnitudeHistogram of(ChannelProfile profile, boolean signed) {
    Histogram histogram = profile.histogram();
    int half = histogram.counts().length() / 2;
    long[] counts = new long[half];
    for (int i = 0; i < half; i++) {
      long negative = signed ? histogram.counts().get(half - 1 - i) : 0;
      counts[i] = histogram.counts().get(half + i) + negative;
    }
    counts[0] -= profile.moments().zeros();
    return new MagnitudeHistogram(histogram.exponent(), counts);
  }

  /**
   * Returns the histogram with pairs of bins joined, again and again, until those up to the largest
   * magnitude hold {@code average} on average, but not so often that fewer than {@code bins} lie
   * below {@code 2^-rangeLength}.
   */
  MagnitudeHistogram joined(double average, int rangeLength, int bins) {
    MagnitudeHistogram joined = this;
    while (joined.total < average * joined.used() && joined.binsBelow(-rangeLength) >= 2L * bins) {
      long[] pairs = new long[joined.counts.length / 2];
      for (int i = 0; i < pairs.length; i++) {
        pairs[i] = joined.counts[2 * i] + joined.counts[2 * i + 1];
      }
      joined = new MagnitudeHistogram(joined.exponent + 1, pairs);
    }
    return joined;
  }

  private int used() {
    int used = counts.length;
    while (used > 0 && counts[used - 1] == 0) {
      used--;
    }
    return used;
  }

  private double binsBelow(int power) {
    return Math.scalb(1.0, power - exponent);
  }

  /** Returns in which bin a magnitude lies. */
  int binsTo(double magnitude) {
    return (int) Math.min(counts.length, magnitude / edge(1));
  }

  /** Returns the upper edge of that many bins. */
  double edge(int bins) {
    return Math.scalb((double) bins, exponent);
  }

  /** Returns the fractional length of the finest step that holds two bins. */
  int finestLength() {
    return -exponent - 1;
  }

  /**
   * Returns the divergence of the counts from what is left of them by codes 0 to {@code codes - 1}
   * with a step of {@code 2^-fractionalLength}: each code's count is spread evenly over those of
   * its bins that hold something. What lies beyond the last code is added to the last bin on one
   * side only, so that clipping is seen (S. Migacz, "8-bit inference with TensorRT", GTC 2017).
   */
  double divergence(int codes, int fractionalLength) {
    return divergenceOf(codes, (int) Math.max(1, binsBelow(-fractionalLength)));
  }

  /** Returns the divergence for a step of {@code perCode} bins. */
  double divergenceOf(int codes, int perCode) {
    int range = (int) Math.min(counts.length, (long) codes * perCode);
    long inside = Arrays.stream(counts, 0, range).sum();
    long beyond = total - inside;
    boolean bare = beyond > 0 && counts[range - 1] == 0;
    double spreadTotal = bare ? inside + 0.5 : inside; // half a count where nothing is not enough
    double sum = bare ? term(beyond, 0.5, spreadTotal) : 0;
    for (int from = 0, to; from < range; from = to) {
      to = Math.min(range, from == 0 ? (perCode + 1) / 2 : from + perCode);
      to = range - to < perCode / 2 + 1 && (long) codes * perCode == range ? range : to;
      sum += ofCode(from, to, to == range && !bare ? beyond : 0, spreadTotal);
    }
    return sum;
  }

  private double ofCode(int from, int to, long beyond, double spreadTotal) {
    long held = Arrays.stream(counts, from, to).sum();
    long occupied = Arrays.stream(counts, from, to).filter(count -> count > 0).count();
    double sum = 0;
    for (int i = from; i < to; i++) {
      if (counts[i] > 0) {
        long count = i == to - 1 ? counts[i] + beyond : counts[i];
        sum += term(count, (double) held / occupied, spreadTotal);
      }
    }
    return sum;
  }

  private double term(long count, double spread, double spreadTotal) {
    double share = (double) count / total;
    return share * Math.log(share * spreadTotal / spread);
  }
}
