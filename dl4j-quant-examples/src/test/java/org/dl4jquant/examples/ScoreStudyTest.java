package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.examples.ScoreTable.Correlation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

final class ScoreStudyTest {
  private static final TrainingSubject DEEP_MLP =
      new TrainingSubject(
          "deep MLP", seed -> Networks.deepMlp(64, Digits.CLASSES, seed), Digits::vectors, 2, 1);

  @Test
  void everyScoreIsCorrelatedWithWhatRoundingCosts(@TempDir Path directory) throws IOException {
    ScoreStudy study = new ScoreStudy(directory);
    List<ScoreTrial> trials = study.run(List.of(DEEP_MLP), List.of(1L), List.of(3));
    ScoreTable table = ScoreTable.of(trials, ScoreTrial::growth);
    assertEquals(
        List.of(
            "difference to the start",
            "difference to the start, normalized",
            "difference to the trained",
            "difference to the trained, normalized",
            "updates of half a step or more",
            "updates of half a step of 10 bits or more",
            "moves of codes",
            "norm of the residuals",
            "mean squared error of the weights",
            "sum of the squared errors",
            "largest weight",
            "E[g²]",
            "abs E[g·δ]",
            "E[(g·δ)²]",
            "Σ E[g²]·δ²",
            "FIT: E[g²]·Σ δ²",
            "random"),
        table.correlations().stream().map(Correlation::score).toList());
    for (Correlation correlation : table.correlations()) {
      assertEquals(10, correlation.layers());
      assertTrue(Math.abs(correlation.value().orElse(0)) <= 1, correlation.toString());
      boolean told = !correlation.score().equals("updates of half a step or more");
      assertEquals(told, correlation.value().isPresent(), correlation.toString());
    }
    assertTrue(trials.get(0).divergence().stream().allMatch(own -> own > 0));
    assertEquals(
        Collections.nCopies(10, 0.0),
        trials.get(0).scores().get("updates of half a step or more"),
        "Adam's updates are below half a step of 3 bits");
  }

  @Test
  void aStudyGoesOnWhereItWas(@TempDir Path directory) throws IOException {
    ScoreStudy study = new ScoreStudy(directory);
    List<ScoreTrial> two = study.run(List.of(DEEP_MLP), List.of(1L), List.of(4, 2));
    List<String> lines = Files.readAllLines(directory.resolve("scores.jsonl"));
    assertEquals(2, lines.size());
    Files.write(directory.resolve("scores.jsonl"), lines.subList(0, 1));
    assertEquals(two, study.run(List.of(DEEP_MLP), List.of(1L), List.of(4, 2)));
    assertEquals(lines, Files.readAllLines(directory.resolve("scores.jsonl")));
  }

  @Test
  void divergenceIsWhatProbabilitiesLose() {
    INDArray exact = Nd4j.createFromArray(new float[][] {{0.5f, 0.5f}, {1, 0}});
    assertEquals(0, ScoreStudy.divergence(exact, exact), 1e-9);
    INDArray other = Nd4j.createFromArray(new float[][] {{0.25f, 0.75f}, {0.5f, 0.5f}});
    double first = 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3.0);
    assertEquals((first + Math.log(2)) / 2, ScoreStudy.divergence(exact, other), 2e-6);
  }

  @Test
  void theGradientTellsWhatASmallChangeDoesToTheLoss() {
    MultiLayerNetwork network = Networks.mlp(64, Digits.CLASSES, 3);
    DataSet batch = Split.first(Digits.vectors(3).train(), 32);
    INDArray change = Nd4j.zeros(network.params().shape());
    for (int i = 0; i < 400; i++) {
      change.putScalar(i, i % 3 == 0 ? 1e-3 : -5e-4);
    }
    Map<String, Map<String, Double>> scores = new HashMap<>();
    new GradientScores(Dl4jNetwork.of(network), Split.batches(batch, 32), 1)
        .put(scores, Map.of("dense1", change));
    double before = network.score(batch);
    network.params().addi(change);
    double growth = Math.abs(network.score(batch) - before);
    double told = scores.get("abs E[g·δ]").get("dense1");
    assertEquals(growth, told, 0.05 * growth);
    assertEquals(told * told, scores.get("E[(g·δ)²]").get("dense1"), 1e-6 * told * told);
    assertTrue(told * told <= 400 * scores.get("Σ E[g²]·δ²").get("dense1"));
  }

  @Test
  void theSummaryComparesScoresOnTheSameNetworks() {
    ImmutableList.Builder<Correlation> correlations = ImmutableList.builder();
    for (long seed = 1; seed <= 2; seed++) {
      for (String subject : List.of("a", "b")) {
        double shift = subject.equals("a") ? 0.25 : 0;
        correlations.add(
            new Correlation(subject, 4, seed, 3, "good", OptionalDouble.of(0.5 + shift)),
            new Correlation(
                subject, 4, seed, 3, ScoreSummary.BASELINE, OptionalDouble.of(shift - 0.25)),
            new Correlation(subject, 4, seed, 3, "none", OptionalDouble.empty()),
            new Correlation(subject, 4, seed, 3, "random", OptionalDouble.of(0.6)));
      }
    }
    assertEquals(
        """

        | score | mean | 95 % interval | above 0 | above random | less that of the baseline | 95 % interval |
        |---|---|---|---|---|---|---|
        | good | 0.63 | 0.50 to 0.75 | 4 of 4 | 2 of 4 | 0.75 | 0.75 to 0.75 |
        | random | 0.60 | 0.60 to 0.60 | 4 of 4 |  | 0.73 | 0.60 to 0.85 |
        | mean squared error of the weights | -0.13 | -0.25 to 0.00 | 0 of 4 | 0 of 4 |  |  |
        """,
        new ScoreSummary(correlations.build()).markdown());
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
