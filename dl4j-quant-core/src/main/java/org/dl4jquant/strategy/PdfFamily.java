package org.dl4jquant.strategy;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.format.Log2;
import org.dl4jquant.internal.Checks;

/**
 * The eight probability density functions of US20200026986A1, each with mean 0 and variance 1, in
 * the order of their tails, the heaviest first.
 *
 * <p>The fractional length with the least expected squared error is {@code floor(-log2(sigma) -
 * threshold)}: the threshold is the binary logarithm of the step at which a step twice as large is
 * just as good for a deviation of 1. Immutable.
 */
public enum PdfFamily {
  /** {@code sqrt(2) / (pi (1 + x^4))}: no finite kurtosis. */
  SUPER_CAUCHY(
      "super-Cauchy",
      Double.POSITIVE_INFINITY,
      Double.POSITIVE_INFINITY,
      x -> Math.sqrt(2) / (Math.PI * (1 + x * x * x * x)),
      -0.4693,
      -0.8628,
      -1.2154,
      -1.5619,
      -1.9044,
      -2.2417,
      -2.5769,
      -2.9112,
      -3.2450,
      -3.5786,
      -3.9120,
      -4.2454,
      -4.5788,
      -4.9121,
      -5.2455,
      -5.5788),
  /** {@code exp(-sqrt(2) |x|) / sqrt(2)}. */
  LAPLACE(
      "Laplace",
      6,
      Double.POSITIVE_INFINITY,
      x -> Math.exp(-Math.sqrt(2) * Math.abs(x)) / Math.sqrt(2),
      -0.2443,
      -0.8908,
      -1.5668,
      -2.2706,
      -3.0038,
      -3.7648,
      -4.5504,
      -5.3575,
      -6.1828,
      -7.0238,
      -7.8782,
      -8.7441,
      -9.6200,
      -10.5046,
      -11.3968,
      -12.2959),
  /** {@code 1 / (2 cosh(pi x / 2))}. */
  HYPERBOLIC_SECANT(
      "hyperbolic secant",
      5,
      Double.POSITIVE_INFINITY,
      x -> 0.5 / Math.cosh(Math.PI * x / 2),
      -0.3500,
      -0.9886,
      -1.6637,
      -2.3718,
      -3.1104,
      -3.8764,
      -4.6664,
      -5.4770,
      -6.3054,
      -7.1489,
      -8.0055,
      -8.8732,
      -9.7508,
      -10.6368,
      -11.5303,
      -12.4304),
  /** The derivative of the logistic function, scaled by {@code sqrt(3) / pi}. */
  LOGISTIC(
      "logistic",
      4.2,
      Double.POSITIVE_INFINITY,
      PdfFamily::logistic,
      -0.4013,
      -1.0613,
      -1.7589,
      -2.4839,
      -3.2353,
      -4.0113,
      -4.8092,
      -5.6264,
      -6.4602,
      -7.3083,
      -8.1687,
      -9.0398,
      -9.9203,
      -10.8088,
      -11.7046,
      -12.6067),
  /** {@code exp(-x^2 / 2) / sqrt(2 pi)}. */
  NORMAL(
      "normal",
      3,
      Double.POSITIVE_INFINITY,
      x -> Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
      -0.4612,
      -1.2053,
      -1.9812,
      -2.7780,
      -3.5974,
      -4.4384,
      -5.2985,
      -6.1747,
      -7.0647,
      -7.9660,
      -8.8770,
      -9.7960,
      -10.7219,
      -11.6537,
      -12.5906,
      -13.5319),
  /** {@code (1 + cos(pi x / s)) / (2 s)} up to {@code s = 1 / sqrt(1/3 - 2/pi^2)}. */
  RAISED_COSINE(
      "raised cosine",
      2.4062,
      1 / Math.sqrt(1.0 / 3 - 2 / (Math.PI * Math.PI)),
      PdfFamily::raisedCosine,
      -0.5012,
      -1.3243,
      -2.1641,
      -3.0262,
      -3.9138,
      -4.8248,
      -5.7555,
      -6.7021,
      -7.6613,
      -8.6301,
      -9.6065,
      -10.5885,
      -11.5748,
      -12.5645,
      -13.5566,
      -14.5507),
  /** The semicircle of radius 2. */
  WIGNER(
      "Wigner semicircle",
      2,
      2,
      x -> Math.sqrt(Math.max(0, 4 - x * x)) / (2 * Math.PI),
      -0.5238,
      -1.4457,
      -2.3312,
      -3.2388,
      -4.1696,
      -5.1184,
      -6.0818,
      -7.0561,
      -8.0383,
      -9.0260,
      -10.0176,
      -11.0119,
      -12.0081,
      -13.0054,
      -14.0037,
      -15.0025),
  /** Constant up to {@code sqrt(3)}. */
  UNIFORM(
      "uniform",
      1.8,
      Math.sqrt(3),
      x -> Math.abs(x) <= Math.sqrt(3) ? 1 / (2 * Math.sqrt(3)) : 0,
      -0.5294,
      -1.5045,
      -2.4345,
      -3.3624,
      -4.3112,
      -5.2769,
      -6.2529,
      -7.2370,
      -8.2265,
      -9.2197,
      -10.2153,
      -11.2125,
      -12.2107,
      -13.2095,
      -14.2088,
      -15.2083);

  private static final int MIN_BIT_WIDTH = 2;
  private static final int MAX_BIT_WIDTH = 17;
  private static final double KURTOSIS_OF_SUPER_CAUCHY = 12; // where samples of it are told apart

  private final String text;
  private final double kurtosis;
  private final double edge;

  @SuppressWarnings("ImmutableEnumChecker") // a function without state
  private final DoubleUnaryOperator density;

  @SuppressWarnings("ImmutableEnumChecker") // immutable, although not annotated
  private final ImmutableDoubleArray thresholds;

  PdfFamily(
      String text,
      double kurtosis,
      double edge,
      DoubleUnaryOperator density,
      double... thresholds) {
    this.text = text;
    this.kurtosis = kurtosis;
    this.edge = edge;
    this.density = density;
    this.thresholds = ImmutableDoubleArray.copyOf(thresholds);
  }

  private static double logistic(double x) {
    double half = 1 / Math.cosh(x * Math.PI / (2 * Math.sqrt(3)));
    return half * half * Math.PI / (4 * Math.sqrt(3));
  }

  private static double raisedCosine(double x) {
    double width = RAISED_COSINE.edge;
    return Math.abs(x) > width ? 0 : (1 + Math.cos(Math.PI * x / width)) / (2 * width);
  }

  /** Returns the family whose kurtosis is nearest by its logarithm; super-Cauchy counts as 12. */
  public static PdfFamily nearest(double kurtosis) {
    if (!(kurtosis < Double.POSITIVE_INFINITY)) {
      return SUPER_CAUCHY;
    }
    PdfFamily nearest = SUPER_CAUCHY;
    double least = Double.POSITIVE_INFINITY;
    for (PdfFamily family : values()) {
      double own = family == SUPER_CAUCHY ? KURTOSIS_OF_SUPER_CAUCHY : family.kurtosis;
      double distance = Math.abs(Math.log(Math.max(1, kurtosis) / own));
      if (distance < least) {
        least = distance;
        nearest = family;
      }
    }
    return nearest;
  }

  /** Returns the density at {@code x}. */
  public double density(double x) {
    return density.applyAsDouble(x);
  }

  /** Returns the largest value that can occur, perhaps infinite. */
  public double edge() {
    return edge;
  }

  /** Returns the fourth moment, perhaps infinite. */
  public double kurtosis() {
    return kurtosis;
  }

  /**
   * Returns the binary logarithm of the step from which on a step twice as large is worse.
   *
   * @param bitWidth of a signed format, 2 to 17; an unsigned one of one bit less, for values that
   *     are half of the distribution, has the same
   */
  public double threshold(int bitWidth) {
    return thresholds.get(
        Checks.inRange("bitWidth", bitWidth, MIN_BIT_WIDTH, MAX_BIT_WIDTH) - MIN_BIT_WIDTH);
  }

  /**
   * Returns the fractional length with the least expected squared error.
   *
   * @param deviation of the values, positive and finite
   * @param bitWidth as for {@link #threshold}
   */
  public int fractionalLength(double deviation, int bitWidth) {
    return (int) Math.floor(-Log2.of(deviation) - threshold(bitWidth));
  }

  /** Returns the name as texts have it, such as {@code raised cosine}. */
  @Override
  public String toString() {
    return text;
  }
}
