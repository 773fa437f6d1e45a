package org.dl4jquant.convert;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.dl4jquant.format.NumberFormat;

/**
 * Finds codes whose sums come nearest to wanted ones: minimizes {@code (w - u)^T A (w - u)} over
 * the values {@code w} of a format, for a positive definite {@code A} and the real optimum {@code
 * u}.
 *
 * <p>First the nearest plane of L. Babai ("On Lovász' lattice reduction and the nearest lattice
 * point problem", 1986): coordinate after coordinate is rounded, and those that are left make up
 * for it. Then, from there and from the nearest codes, coordinates are changed one by one as long
 * as one of them gains; the better end counts. Deterministic; immutable and thread-safe.
 */
final class RoundingProblem {
  private static final int MOST_SWEEPS = 50;
  private static final double GAIN = 1e-12; // relative

  private final int size;
  private final double[][] matrix;
  private final int[] order;
  private final double[][] factor; // Cholesky's, of the matrix in that order

  /**
   * Prepares a problem.
   *
   * @param matrix symmetric and positive definite; kept
   */
  RoundingProblem(double[][] matrix) {
    this.size = matrix.length;
    this.matrix = matrix;
    this.order = ascendingDiagonal(matrix);
    this.factor = cholesky();
  }

  /**
   * A solution.
   *
   * @param error the minimum that was found
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, not kept
  record Solution(int[] codes, double error) {}

  /** What is rounded first, the last of the order, has the others to make up for it. */
  private static int[] ascendingDiagonal(double[][] matrix) {
    return IntStream.range(0, matrix.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> matrix[i][i]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private double[][] cholesky() {
    double[][] lower = new double[size][];
    for (int i = 0; i < size; i++) {
      lower[i] = new double[i + 1];
      for (int j = 0; j <= i; j++) {
        double sum = matrix[order[i]][order[j]];
        double[] a = lower[i];
        double[] b = lower[j];
        for (int k = 0; k < j; k++) {
          sum -= a[k] * b[k];
        }
        lower[i][j] = i == j ? Math.sqrt(Math.max(sum, Double.MIN_NORMAL)) : sum / b[j];
      }
    }
    return lower;
  }

  /** Returns the real optimum {@code u} of {@code A u = target}. */
  double[] optimum(double[] target) {
    double[] y = new double[size];
    for (int i = 0; i < size; i++) {
      double sum = target[order[i]];
      for (int k = 0; k < i; k++) {
        sum -= factor[i][k] * y[k];
      }
      y[i] = sum / factor[i][i];
    }
    double[] u = new double[size];
    for (int i = size - 1; i >= 0; i--) {
      double own = y[i] / factor[i][i];
      u[order[i]] = own;
      for (int k = 0; k < i; k++) {
        y[k] -= factor[i][k] * own;
      }
    }
    return u;
  }

  /**
   * Returns the best codes that were found.
   *
   * @param optimum of {@link #optimum}
   * @param weights whose nearest codes are the other start
   */
  Solution solve(double[] optimum, double[] weights, NumberFormat format) {
    int[] nearest = new int[size];
    for (int i = 0; i < size; i++) {
      nearest[i] = (int) format.quantize(weights[i]);
    }
    Solution one = descended(optimum, nearest, format);
    Solution other = descended(optimum, nearestPlane(optimum, format), format);
    return other.error() < one.error() ? other : one;
  }

  private int[] nearestPlane(double[] optimum, NumberFormat format) {
    int[] codes = new int[size];
    double[] carried = new double[size];
    for (int i = size - 1; i >= 0; i--) {
      double wanted = optimum[order[i]] - carried[i] / factor[i][i];
      codes[order[i]] = (int) format.quantize(wanted);
      double error = format.dequantize(codes[order[i]]) - optimum[order[i]];
      double[] row = factor[i];
      for (int k = 0; k < i; k++) {
        carried[k] += row[k] * error;
      }
    }
    return codes;
  }

  private Solution descended(double[] optimum, int[] codes, NumberFormat format) {
    double step = (format.maxValue() - format.minValue()) / (format.maxCode() - format.minCode());
    double[] error = new double[size];
    for (int i = 0; i < size; i++) {
      error[i] = format.dequantize(codes[i]) - optimum[i];
    }
    double[] gradient = new double[size];
    for (int i = 0; i < size; i++) {
      axpy(error[i], matrix[i], gradient);
    }
    boolean moved = true;
    for (int sweep = 0; sweep < MOST_SWEEPS && moved; sweep++) {
      moved = false;
      for (int i = 0; i < size; i++) {
        double now = format.dequantize(codes[i]);
        int code = (int) format.quantize(now - gradient[i] / matrix[i][i]);
        double change = format.dequantize(code) - now;
        double gain = -change * (2 * gradient[i] + change * matrix[i][i]);
        if (code != codes[i] && gain > GAIN * matrix[i][i] * step * step) {
          codes[i] = code;
          error[i] += change;
          axpy(change, matrix[i], gradient);
          moved = true;
        }
      }
    }
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += error[i] * gradient[i];
    }
    return new Solution(codes, sum);
  }

  private static void axpy(double factor, double[] row, double[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * row[i];
    }
  }
}
