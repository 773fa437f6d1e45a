package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.OptionalDouble;
import org.dl4jquant.examples.ScoreTable.Correlation;
import org.junit.jupiter.api.Test;

final class ScoreStudyTest {
  @Test
  void everyScoreIsCorrelatedWithWhatRoundingCosts() {
    TrainingSubject subject =
        new TrainingSubject(
            "deep MLP", seed -> Networks.deepMlp(64, Digits.CLASSES, seed), Digits::vectors, 2, 1);
    ScoreTable table = ScoreStudy.run(List.of(subject), List.of(1L), List.of(3));
    assertEquals(
        List.of(
            "difference to the start",
            "difference to the start, normalized",
            "difference to the trained",
            "difference to the trained, normalized",
            "updates outside the dead zone",
            "norm of the residuals",
            "mean squared error of the weights",
            "sum of the squared errors",
            "largest weight",
            "E[(g·δ)²]",
            "random"),
        table.correlations().stream().map(Correlation::score).toList());
    for (Correlation correlation : table.correlations()) {
      assertEquals(10, correlation.layers());
      assertTrue(Math.abs(correlation.value().orElse(0)) <= 1, correlation.toString());
    }
    assertTrue(
        table.correlations().stream().filter(own -> own.value().isPresent()).count() >= 10,
        table.markdown());
  }

  @Test
  void tablesHaveALinePerScoreAndAColumnPerNetwork() {
    ScoreTable table =
        new ScoreTable(
            ImmutableList.of(
                new Correlation("a", 4, 1, 3, "one", OptionalDouble.of(1)),
                new Correlation("a", 4, 2, 3, "one", OptionalDouble.of(0)),
                new Correlation("b", 9, 1, 3, "one", OptionalDouble.empty()),
                new Correlation("b", 9, 1, 3, "two", OptionalDouble.of(-0.5))));
    assertEquals(
        """

        ### 3 bits

        | score | a, 4 layers | b, 9 layers | all |
        |---|---|---|---|
        | one | 0.50 ± 0.71 | – | 0.50 ± 0.71 |
        | two | – | -0.50 ± 0.00 | -0.50 ± 0.00 |
        """,
        table.markdown());
  }
}
