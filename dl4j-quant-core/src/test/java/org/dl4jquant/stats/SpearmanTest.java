package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SpearmanTest {
  private static double correlation(double[] x, double... y) {
    return Spearman.correlation(x, y).orElseThrow();
  }

  @Test
  void equalValuesShareTheMeanOfTheirRanks() {
    assertArrayEquals(new double[] {1, 2.5, 4, 2.5}, Spearman.ranks(-3, 7, 9, 7));
    assertArrayEquals(new double[] {2, 2, 2}, Spearman.ranks(5, 5, 5));
    assertArrayEquals(
        new double[] {4, 2.5, 1, 2.5},
        Spearman.ranks(Double.POSITIVE_INFINITY, -0.0, Double.NEGATIVE_INFINITY, 0.0));
    assertEquals(0, Spearman.ranks().length);
  }

  @Test
  void theSameOrderGivesOneAndTheOppositeMinusOne() {
    double[] x = {1, 5, 2, 8, 3};
    assertEquals(1, correlation(x, 1, 125, 8, 512, 27));
    assertEquals(-1, correlation(x, -1, -5, -2, -8, -3));
    assertEquals(1, correlation(new double[] {1, 1, 2}, 4, 4, 9));
  }

  /** By hand: 1 - 6 * sum(d²) / (n * (n² - 1)) with d = (0, 1, 1, 2, 0, 2), n = 6. */
  @Test
  void withoutTiesTheDifferenceFormulaHolds() {
    double[] x = {1, 2, 3, 4, 5, 6};
    assertEquals(1 - 6 * 10.0 / 210, correlation(x, 1, 3, 2, 6, 5, 4), 1e-15);
  }

  /** By hand: ranks (1.5, 1.5, 3, 4) and (1, 3, 3, 3): 2 / sqrt(4.5 * 3). */
  @Test
  void withTiesItIsThePearsonCorrelationOfTheRanks() {
    double expected = 2 / Math.sqrt(4.5 * 3);
    assertEquals(expected, correlation(new double[] {2, 2, 5, 7}, 0, 9, 9, 9), 1e-15);
  }

  @Test
  void monotoneMapsAndCommonPermutationsChangeNothing() {
    Random random = new Random(6);
    for (int round = 0; round < 100; round++) {
      int n = 3 + random.nextInt(50);
      double[] x = random.doubles(n).map(v -> Math.rint(v * 20)).toArray();
      double[] y = random.doubles(n).map(v -> Math.rint(v * 20)).toArray();
      OptionalDouble expected = Spearman.correlation(x, y);
      double[] mapped = Arrays.stream(x).map(v -> Math.exp(v) - 7).toArray();
      assertEquals(expected, Spearman.correlation(mapped, y));
      assertEquals(expected, Spearman.correlation(y, x));
      double[] reversedX = reversed(x);
      double[] reversedY = reversed(y);
      assertEquals(expected.orElse(2), Spearman.correlation(reversedX, reversedY).orElse(2), 1e-15);
      double[] negated = Arrays.stream(y).map(v -> -v).toArray();
      assertEquals(-expected.orElse(2), Spearman.correlation(x, negated).orElse(-2), 1e-15);
    }
  }

  private static double[] reversed(double[] values) {
    double[] reversed = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      reversed[i] = values[values.length - 1 - i];
    }
    return reversed;
  }

  @Test
  void withoutOrderThereIsNoCorrelation() {
    assertEquals(OptionalDouble.empty(), Spearman.correlation(new double[0], new double[0]));
    assertEquals(OptionalDouble.empty(), Spearman.correlation(new double[1], new double[1]));
    assertEquals(
        OptionalDouble.empty(), Spearman.correlation(new double[3], new double[] {1, 2, 3}));
  }

  @Test
  void refusesNanAndUnpairedSamples() {
    assertMessage(
        "y must have as many elements as x, 2, found 1",
        () -> Spearman.correlation(new double[2], new double[1]));
    assertMessage(
        "y must be numbers, found NaN at index 1",
        () -> Spearman.correlation(new double[2], new double[] {1, Double.NaN}));
    assertMessage("values must be numbers, found NaN at index 0", () -> Spearman.ranks(Double.NaN));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
