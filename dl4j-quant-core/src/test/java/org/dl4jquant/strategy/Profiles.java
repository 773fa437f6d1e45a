package org.dl4jquant.strategy;

import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.ChannelProfileAccumulator;

/** Profiles of known values and of known distributions. */
final class Profiles {
  private Profiles() {}

  static ChannelProfile of(double... values) {
    ChannelProfileAccumulator accumulator = ChannelProfileAccumulator.create();
    for (double value : values) {
      accumulator.accept(value);
    }
    return accumulator.snapshot();
  }

  /** The quantiles {@code (i + 0.5) / count} of a distribution. */
  static double[] quantiles(DoubleUnaryOperator inverse, int count) {
    return IntStream.range(0, count)
        .mapToDouble(i -> inverse.applyAsDouble((i + 0.5) / count))
        .toArray();
  }

  static double[] scaled(double factor, double... values) {
    double[] scaled = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      scaled[i] = factor * values[i];
    }
    return scaled;
  }

  static double[] rectified(double... values) {
    double[] rectified = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      rectified[i] = Math.max(0, values[i]);
    }
    return rectified;
  }

  /**
   * The families of zero mean and unit variance of US20200026986A1, without the super-Cauchy, whose
   * error lies in a tail that no sample of reasonable size has.
   */
  enum Family {
    LAPLACE(x -> Math.exp(-Math.abs(x) * Math.sqrt(2)) / Math.sqrt(2), 20),
    HYPERBOLIC_SECANT(x -> 0.5 / Math.cosh(Math.PI * x / 2), 15),
    LOGISTIC(Family::logistic, 15),
    NORMAL(x -> Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI), 8),
    RAISED_COSINE(Family::raisedCosine, 2.7669),
    WIGNER(x -> Math.sqrt(Math.max(0, 4 - x * x)) / (2 * Math.PI), 2),
    UNIFORM(x -> 1 / (2 * Math.sqrt(3)), Math.sqrt(3));

    private static final int GRID = 100_000;

    @SuppressWarnings("ImmutableEnumChecker") // a lambda without state
    private final DoubleUnaryOperator density;

    private final double edge;

    Family(DoubleUnaryOperator density, double edge) {
      this.density = density;
      this.edge = edge;
    }

    private static double logistic(double x) {
      double scale = Math.sqrt(3) / Math.PI;
      double half = 1 / Math.cosh(x / (2 * scale));
      return half * half / (4 * scale);
    }

    private static double raisedCosine(double x) {
      double width = 1 / Math.sqrt(1.0 / 3 - 2 / (Math.PI * Math.PI));
      return Math.abs(x) > width ? 0 : (1 + Math.cos(Math.PI * x / width)) / (2 * width);
    }

    /** Quantiles by numerical integration of the density. */
    double[] quantiles(int count) {
      double[] values = new double[count];
      double width = 2 * edge / GRID;
      double mass = 0;
      double all = 0;
      for (int i = 0; i < GRID; i++) {
        all += density.applyAsDouble(-edge + (i + 0.5) * width) * width;
      }
      int next = 0;
      for (int i = 0; i < GRID && next < count; i++) {
        double here = density.applyAsDouble(-edge + (i + 0.5) * width) * width / all;
        while (next < count && mass + here >= (next + 0.5) / count) {
          values[next] = -edge + (i + ((next + 0.5) / count - mass) / here) * width;
          next++;
        }
        mass += here;
      }
      return values;
    }

    ChannelProfile profile(double sigma) {
      return of(scaled(sigma, quantiles(50_000)));
    }
  }
}
