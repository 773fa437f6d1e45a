package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link CutAscent} and {@link ExactCuts} against each other and against brute force. */
final class CutSearchTest {
  private static EntropyScore symmetric(boolean zeroCluster, float... magnitudes) {
    int n = magnitudes.length;
    return new EntropyScore(SortedMagnitudes.of(magnitudes.clone()), n, 2.0 * n, zeroCluster);
  }

  private static float[] magnitudes(Random random, int count, int shape) {
    float[] magnitudes = new float[count];
    for (int i = 0; i < count; i++) {
      double normal = random.nextGaussian();
      magnitudes[i] =
          (float)
              switch (shape) {
                case 0 -> Math.abs(normal);
                case 1 -> random.nextDouble();
                case 2 -> Math.exp(2 * normal);
                case 3 -> Math.max(0, normal - 1);
                default -> Math.rint(4 * Math.abs(normal)) / 4;
              };
    }
    return magnitudes;
  }

  /** Tries all cuts. */
  private static double bruteForce(EntropyScore score, int[] cuts, int next) {
    int length = score.magnitudes().length();
    if (next == cuts.length - 1) {
      cuts[next] = length;
      return score.of(cuts);
    }
    double best = Double.NEGATIVE_INFINITY;
    int from = next == 0 ? 1 : cuts[next - 1] + 1;
    for (int cut = from; cut <= length - (cuts.length - 1 - next); cut++) {
      cuts[next] = cut;
      best = Math.max(best, bruteForce(score, cuts, next + 1));
    }
    return best;
  }

  @Test
  void dynamicProgrammingFindsWhatBruteForceFinds() {
    Random random = new Random(21);
    for (int round = 0; round < 300; round++) {
      EntropyScore score =
          symmetric(round % 2 == 0, magnitudes(random, 5 + random.nextInt(10), round % 5));
      int clusters = 1 + random.nextInt(4);
      int[] cuts = ExactCuts.solve(score, clusters);
      double best = bruteForce(score, new int[clusters], 0);
      assertEquals(best, score.of(cuts), 1e-12 * Math.abs(best));
      assertTrue(cuts[0] > 0);
      for (int i = 1; i < clusters; i++) {
        assertTrue(cuts[i] > cuts[i - 1]);
      }
    }
  }

  @Test
  void ascentIsWithinOnePercentOfTheOptimumInThreeHundredCases() {
    Random random = new Random(22);
    double worst = 0;
    for (int round = 0; round < 300; round++) {
      int count = round < 100 ? 14 : 129 + random.nextInt(500);
      EntropyScore score = symmetric(round % 3 == 0, magnitudes(random, count, round % 5));
      int clusters = 2 + random.nextInt(round < 100 ? 4 : 15);
      double optimum = score.of(ExactCuts.solve(score, clusters));
      double found = new CutAscent(score, 300).best(clusters).score();
      assertTrue(found <= optimum * (1 + 1e-12));
      double gap = optimum == 0 ? 0 : 1 - found / optimum;
      assertTrue(count > CutAscent.CANDIDATES / 2 || gap < 1e-12, "gap " + gap + " of " + count);
      worst = Math.max(worst, gap);
    }
    assertTrue(worst < 0.01, "worst gap " + worst);
  }

  @Test
  void ascentNeverLosesAndHoldsItsPassLimit() {
    Random random = new Random(23);
    for (int round = 0; round < 50; round++) {
      EntropyScore score = symmetric(false, magnitudes(random, 200, round % 5));
      CutAscent.Climb once = new CutAscent(score, 1).climb(new int[] {1, 2, 3, 200});
      CutAscent.Climb whole = new CutAscent(score, 300).climb(new int[] {1, 2, 3, 200});
      assertEquals(1, once.passes());
      assertTrue(score.of(new int[] {1, 2, 3, 200}) <= once.score());
      assertTrue(once.score() <= whole.score() * (1 + 1e-15));
      assertTrue(whole.passes() < 300);
    }
  }

  @Test
  void cutsOfAnyValueAreSeparated() {
    assertArrayEquals(new int[] {1, 2, 3, 9}, CutAscent.separated(new int[] {0, 0, 0, 0}, 9));
    assertArrayEquals(new int[] {6, 7, 8, 9}, CutAscent.separated(new int[] {9, 9, 9, 9}, 9));
    assertArrayEquals(new int[] {4, 5, 6, 9}, CutAscent.separated(new int[] {4, 4, 4, 9}, 9));
    assertArrayEquals(new int[] {1, 2, 3}, CutAscent.separated(new int[] {7, -1, 2}, 3));
    assertArrayEquals(new int[] {5}, CutAscent.separated(new int[] {0}, 5));
  }

  @Test
  void prefixSumsDoNotDrift() {
    float[] magnitudes = new float[3_000_001];
    Arrays.fill(magnitudes, 0.1f);
    magnitudes[0] = 1e8f;
    SortedMagnitudes sorted = SortedMagnitudes.of(magnitudes);
    double square = (double) 0.1f * 0.1f;
    assertEquals(3e6 * square, sorted.squares(0, 3_000_000), 1e-15 * 3e6);
    assertEquals(1e16, sorted.squares(3_000_000, 3_000_001), 2);
  }

  @Test
  void zerosAndDifferentMagnitudesAreCounted() {
    SortedMagnitudes sorted =
        SortedMagnitudes.of(new float[] {2, 0, 0, 1, 2, 0, 3, Float.MIN_VALUE});
    assertEquals(3, sorted.zeros());
    assertEquals(4, sorted.distinct(3, 10));
    assertEquals(3, sorted.distinct(3, 2));
    assertEquals(0, SortedMagnitudes.of(new float[] {1}).zeros());
    assertEquals(2, SortedMagnitudes.of(new float[2]).zeros());
  }
}
