package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Random;
import org.dl4jquant.strategy.PdfFamily;

/** Channels of known distributions: random scale, some shifted or rectified. */
final class PdfShapes {
  private static final ImmutableList<PdfFamily> FAMILIES = ImmutableList.copyOf(PdfFamily.values());
  private static final int KNOWN = FAMILIES.size() + 3;
  private static final int UNSEEN = 3;
  private static final int GRID = 20_000;
  private static final double EDGE = 400;

  private final Random random;
  private final double[][] quantiles = new double[FAMILIES.size()][];

  PdfShapes(long seed) {
    random = new Random(seed);
    for (int k = 0; k < quantiles.length; k++) {
      quantiles[k] = cumulative(FAMILIES.get(k));
    }
  }

  /**
   * Returns values of a distribution of the families or related to them: of a generalized normal
   * one of any tail, of a mixture of two normals, or of a skewed gamma distribution.
   */
  float[] known(int count) {
    return values(count, random.nextInt(KNOWN));
  }

  /** Returns values of a Student, Weibull or two-humped distribution. */
  float[] unseen(int count) {
    return values(count, KNOWN + random.nextInt(UNSEEN));
  }

  private float[] values(int count, int kind) {
    double[] values = draw(count, kind);
    double scale = Math.pow(2, 8 * random.nextDouble() - 4);
    double shift = random.nextInt(3) == 0 ? random.nextGaussian() : 0;
    boolean rectified = random.nextInt(2) == 0;
    float[] result = new float[count];
    for (int i = 0; i < count; i++) {
      double value = scale * (values[i] + shift);
      result[i] = (float) (rectified ? Math.max(0, value) : value);
    }
    return result;
  }

  private double[] draw(int count, int kind) {
    int families = FAMILIES.size();
    double[] values = new double[count];
    double first = random.nextDouble();
    double second = random.nextDouble();
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (kind - families) {
            case 0 -> generalizedNormal(Math.exp(-0.7 + 2.4 * first));
            case 1 -> random.nextGaussian() * (random.nextDouble() < first ? 1 : 0.1 + second);
            case 2 -> (gamma(0.7 + 6 * first) - 0.7 - 6 * first) * (second < 0.5 ? 1 : -1);
            case 3 -> random.nextGaussian() / Math.sqrt(gamma(1.5 + 5 * first) / (1.5 + 5 * first));
            case 4 -> Math.pow(-Math.log(1 - random.nextDouble()), 0.3 + first);
            case 5 -> 0.2 * first * random.nextGaussian() + (random.nextBoolean() ? 1 : -second);
            default -> quantile(kind);
          };
    }
    return values;
  }

  /** The density is proportional to {@code exp(-|x|^power)}. */
  private double generalizedNormal(double power) {
    double magnitude = Math.pow(gamma(1 / power), 1 / power);
    return random.nextBoolean() ? magnitude : -magnitude;
  }

  /** G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables" (2000). */
  private double gamma(double shape) {
    if (shape < 1) {
      return gamma(shape + 1) * Math.pow(random.nextDouble(), 1 / shape);
    }
    double d = shape - 1.0 / 3;
    double c = 1 / Math.sqrt(9 * d);
    while (true) {
      double x = random.nextGaussian();
      double v = Math.pow(Math.max(0, 1 + c * x), 3);
      if (v > 0 && Math.log(1 - random.nextDouble()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
        return d * v;
      }
    }
  }

  /** The distribution function over magnitudes, at points that are dense near zero. */
  private static double[] cumulative(PdfFamily family) {
    double[] cumulative = new double[GRID + 1];
    for (int i = 1; i <= GRID; i++) {
      double from = magnitude(family, i - 1);
      double to = magnitude(family, i);
      cumulative[i] = cumulative[i - 1] + family.density((from + to) / 2) * (to - from);
    }
    return cumulative;
  }

  private static double magnitude(PdfFamily family, double index) {
    double share = index / GRID;
    return Math.min(EDGE, family.edge()) * (family.edge() < EDGE ? share : share * share * share);
  }

  private double quantile(int family) {
    double[] cumulative = quantiles[family];
    double mass = random.nextDouble() * cumulative[GRID];
    int found = Arrays.binarySearch(cumulative, mass);
    int above = found >= 0 ? Math.max(1, found) : Math.max(1, -found - 1);
    double inside =
        (mass - cumulative[above - 1])
            / Math.max(Double.MIN_NORMAL, cumulative[above] - cumulative[above - 1]);
    double magnitude = magnitude(FAMILIES.get(family), above - 1 + Math.min(1, inside));
    return random.nextBoolean() ? magnitude : -magnitude;
  }
}
