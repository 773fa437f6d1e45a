package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.junit.jupiter.api.Test;

final class RoundingProblemTest {
  private static final int SIZE = 5;
  private static final FixedPointFormat FORMAT = FixedPointFormat.signed(3, 1);

  private final Random random = new Random(3);
  private NumberFormat format = FORMAT;

  private double[][] matrix(int size) {
    double[][] factors = new double[size][size];
    double[][] matrix = new double[size][size];
    for (double[] row : factors) {
      double common = random.nextGaussian();
      for (int i = 0; i < size; i++) {
        row[i] = common + 0.5 * random.nextGaussian();
      }
    }
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        for (double[] row : factors) {
          matrix[i][j] += row[i] * row[j];
        }
      }
      matrix[i][i] += 0.01;
    }
    return matrix;
  }

  private double[] weights(int size) {
    double[] weights = new double[size];
    for (int i = 0; i < size; i++) {
      weights[i] = 1.2 * random.nextGaussian();
    }
    return weights;
  }

  private double error(double[][] matrix, double[] optimum, int[] codes) {
    double sum = 0;
    for (int i = 0; i < codes.length; i++) {
      for (int j = 0; j < codes.length; j++) {
        sum +=
            (format.dequantize(codes[i]) - optimum[i])
                * matrix[i][j]
                * (format.dequantize(codes[j]) - optimum[j]);
      }
    }
    return sum;
  }

  private double best(double[][] matrix, double[] optimum, int[] codes, int from) {
    if (from == codes.length) {
      return error(matrix, optimum, codes);
    }
    double least = Double.POSITIVE_INFINITY;
    for (int code = (int) format.minCode(); code <= format.maxCode(); code++) {
      codes[from] = code;
      least = Math.min(least, best(matrix, optimum, codes, from + 1));
    }
    return least;
  }

  @Test
  void comesCloseToTheBestOfAllCodesAndNeverLosesToTheNearest() {
    comesCloseToTheBest(20);
  }

  @Test
  void levelsNeedNotBeEquallyFarApart() {
    format = Codebook.of(-2, -0.75, -0.5, -0.125, 0.25, 0.5, 1.25);
    comesCloseToTheBest(12);
  }

  private void comesCloseToTheBest(int fewest) {
    int found = 0;
    double excess = 0;
    double nearestExcess = 0;
    for (int trial = 0; trial < 40; trial++) {
      double[][] matrix = matrix(SIZE);
      double[] weights = weights(SIZE);
      RoundingProblem.Solution solution =
          new RoundingProblem(matrix).solve(weights, weights, format);
      int[] nearest = new int[SIZE];
      for (int i = 0; i < SIZE; i++) {
        nearest[i] = (int) format.quantize(weights[i]);
        assertTrue(solution.codes()[i] >= format.minCode());
        assertTrue(solution.codes()[i] <= format.maxCode());
      }
      double least = best(matrix, weights, new int[SIZE], 0);
      double usual = error(matrix, weights, nearest);
      assertEquals(error(matrix, weights, solution.codes()), solution.error(), 1e-9);
      assertTrue(solution.error() <= usual + 1e-9);
      assertTrue(solution.error() >= least - 1e-9);
      found += solution.error() <= least + 1e-9 ? 1 : 0;
      excess += solution.error() - least;
      nearestExcess += usual - least;
    }
    assertTrue(found >= fewest, "only " + found + " are the best");
    assertTrue(excess < nearestExcess / 5, excess + " of " + nearestExcess);
  }

  @Test
  void theOptimumSolvesTheEquations() {
    double[][] matrix = matrix(40);
    double[] target = weights(40);
    double[] optimum = new RoundingProblem(matrix).optimum(target);
    for (int i = 0; i < 40; i++) {
      double sum = 0;
      for (int j = 0; j < 40; j++) {
        sum += matrix[i][j] * optimum[j];
      }
      assertEquals(target[i], sum, 1e-9);
    }
  }

  @Test
  void inputsThatDoNotMeetAreRoundedToTheNearest() {
    double[][] matrix = {{2, 0, 0}, {0, 1, 0}, {0, 0, 7}};
    double[] weights = {0.3, -0.9, 5};
    RoundingProblem.Solution solution = new RoundingProblem(matrix).solve(weights, weights, FORMAT);
    assertEquals(1, solution.codes()[0]);
    assertEquals(-2, solution.codes()[1]);
    assertEquals(3, solution.codes()[2]);
    assertEquals(2 * 0.04 + 0.01 + 7 * 3.5 * 3.5, solution.error(), 1e-12);
  }
}
