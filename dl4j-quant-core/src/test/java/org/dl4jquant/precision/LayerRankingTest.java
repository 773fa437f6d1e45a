package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.dl4jquant.precision.LayerRanking.Order;
import org.junit.jupiter.api.Test;

final class LayerRankingTest {
  private static final List<LayerStatistic> STATISTICS =
      List.of(
          LayerStatistic.of("a", 3),
          LayerStatistic.of("b", 1),
          LayerStatistic.of("c", 3),
          LayerStatistic.of("broken", Double.NaN),
          new LayerStatistic("frozen", 0, true),
          LayerStatistic.of("d", 2));

  @Test
  void ascendingWithTiesInTheOrderOfTheNetwork() {
    assertEquals(List.of("b", "d", "a", "c"), rank(LayerRanking.PUBLISHED));
    assertEquals(
        List.of("a", "c", "d", "b"), rank(LayerRanking.PUBLISHED.withOrder(Order.descending())));
  }

  @Test
  void optionsDecideAboutTheSmallestAndTheFrozen() {
    assertEquals(List.of("d", "a", "c"), rank(LayerRanking.PUBLISHED.withoutSmallest()));
    assertEquals(
        List.of("frozen", "b", "d", "a", "c"), rank(LayerRanking.PUBLISHED.withFrozenFirst()));
  }

  @Test
  void ineligibleLayersAreLeftOut() {
    assertEquals(
        List.of("d", "a"), LayerRanking.PUBLISHED.rank(STATISTICS, Set.of("b", "c", "nobody")));
  }

  @Test
  void itSaysWhyALayerIsLeftOut() {
    assertEquals(
        Map.of(
            "b", "its width is pinned",
            "broken", "its statistic is infinite",
            "frozen", "it was frozen in training",
            "d", "its statistic is the smallest"),
        LayerRanking.PUBLISHED.withoutSmallest().leftOut(STATISTICS, Set.of("b")));
  }

  @Test
  void aSeedFixesARandomOrder() {
    List<LayerStatistic> many =
        IntStream.range(0, 20).mapToObj(i -> LayerStatistic.of("l" + i, i)).toList();
    LayerRanking one = LayerRanking.PUBLISHED.withOrder(Order.random(1));
    LayerRanking two = LayerRanking.PUBLISHED.withOrder(Order.random(2));

    assertEquals(one.rank(many, Set.of()), one.rank(many, Set.of()));
    assertNotEquals(one.rank(many, Set.of()), two.rank(many, Set.of()));
    assertEquals(Set.copyOf(one.rank(many, Set.of())), Set.copyOf(two.rank(many, Set.of())));
  }

  @Test
  void normalizingDividesByTheNoiseOfOneStep() {
    assertEquals(12 * 4.0, LayerStatistic.of("a", 1).normalized(0.5).value());
    assertEquals(
        "step of layer a must be positive and finite, found 0.0",
        assertThrows(IllegalArgumentException.class, () -> LayerStatistic.of("a", 1).normalized(0))
            .getMessage());
    assertEquals(
        "statistic of layer a must be NaN or not negative, found -1.0",
        assertThrows(IllegalArgumentException.class, () -> LayerStatistic.of("a", -1))
            .getMessage());
  }

  private static List<String> rank(LayerRanking ranking) {
    return ranking.rank(STATISTICS, Set.of());
  }

  @Test
  void anyScoreRanksLayers() {
    Map<String, Double> scores = new LinkedHashMap<>();
    scores.put("a", 0.5);
    scores.put("b", Double.NaN);
    scores.put("c", -2.0);
    scores.put("d", 0.5);
    scores.put("e", Double.NEGATIVE_INFINITY);
    List<LayerStatistic> statistics = LayerStatistic.ofScores(scores);
    assertEquals(List.of("e", "c", "a", "d"), LayerRanking.PUBLISHED.rank(statistics, Set.of()));
    assertEquals(statistics.get(0).value(), statistics.get(3).value());
    assertEquals(Double.POSITIVE_INFINITY, statistics.get(1).value());
  }
}
