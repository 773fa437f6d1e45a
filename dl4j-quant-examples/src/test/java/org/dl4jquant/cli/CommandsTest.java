package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.examples.CommandFixtures;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.stats.WeightDifferences;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;

/** A network that plain DL4J trained and saved goes through every command. */
final class CommandsTest {
  @TempDir static Path folder;

  private static MultiLayerNetwork network;
  private static Path model;
  private static Path data;
  private static Path differences;
  private static DataSet test;

  @BeforeAll
  static void trainAndSave() throws IOException {
    network = CommandFixtures.untrained();
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.addListeners(listener);
    network.fit(CommandFixtures.trainingBatches(), 4);
    model = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, model.toFile(), true);
    differences = Files.writeString(folder.resolve("diffs.json"), listener.snapshot().toJson());
    test = CommandFixtures.testExamples();
    data =
        new Npz()
            .floats("x", test.getFeatures())
            .int64("y", test.getLabels().argMax(1).toIntVector())
            .write(folder.resolve("test.npz"));
  }

  @Test
  void evaluatePrintsWhatDl4jFinds() throws IOException {
    CommandRun run = CommandRun.succeed("evaluate", model, "--data", data);

    assertEquals(1, run.outLines().size());
    JsonNode json = run.json();
    assertEquals("dl4j", json.get("engine").textValue());
    assertEquals(test.numExamples(), json.get("samples").intValue());
    int[] found = network.output(test.getFeatures()).argMax(1).toIntVector();
    int[] expected = test.getLabels().argMax(1).toIntVector();
    int right = 0;
    for (int i = 0; i < found.length; i++) {
      right += found[i] == expected[i] ? 1 : 0;
    }
    assertEquals((double) right / found.length, json.get("accuracy").doubleValue(), 1e-12);
    assertTrue(json.get("accuracy").doubleValue() > 0.8, json::toString);
    assertTrue(json.get("seconds").doubleValue() > 0);
    assertFalse(json.has("agreement"));
    assertFalse(json.has("logitSqnrDb"));
  }

  @Test
  void inspectListsEveryParameter() {
    CommandRun run = CommandRun.succeed("inspect", model);

    assertTrue(run.out().startsWith("MultiLayerNetwork, " + network.numParams() + " parameters"));
    assertTrue(run.outLines().get(2).matches("layer0 +ConvolutionLayer +b .* bias, .*"), run.out());
    assertTrue(
        run.outLines().get(3).endsWith("weight, 8 formats per channel of axis 0"), run.out());
    assertTrue(run.out().contains("nothing to quantize"), run.out());
  }

  @Test
  void quantizeWritesArchivesThatEvaluateOpens() throws IOException {
    Path out = folder.resolve("q/network.dq.zip");
    Path plain = folder.resolve("q/network.zip");
    Path report = folder.resolve("q/report");

    CommandRun run =
        CommandRun.succeed(
            "quantize", model, "--bits", 6, "--out", out, "--plain", plain, "--report", report);

    assertTrue(run.out().startsWith("layer"), run.out());
    assertEquals(out.toString(), run.json().get("out").textValue());
    assertTrue(
        run.json().get("bytesAfter").longValue() * 4 < run.json().get("bytesBefore").longValue());
    assertEquals(6, PackedArchive.read(out).layers().get(0).weightBits());
    JsonNode json = new ObjectMapper().readTree(report.resolve("report.json").toFile());
    assertEquals(6, json.get("layers").get(0).get("bits").intValue());
    String note =
        "Only weights are quantized; with --calibration FILE the network computes in integers.";
    assertEquals(
        run.out(),
        Files.readString(report.resolve("report.txt")) + note + "\n" + run.json() + "\n");
    for (Path written : new Path[] {out, plain}) {
      JsonNode result =
          CommandRun.succeed("evaluate", written, "--data", data, "--reference", model).json();
      assertTrue(result.get("agreement").doubleValue() > 0.97, result::toString);
      double decibels = result.get("logitSqnrDb").doubleValue();
      assertTrue(decibels > 20 && decibels < 50, result::toString);
    }
    JsonNode same =
        CommandRun.succeed("evaluate", out, "--data", data, "--reference", plain).json();
    assertEquals(1.0, same.get("agreement").doubleValue());
    assertTrue(same.get("logitSqnrDb").isNull(), same::toString);
  }

  @Test
  void quantizeSearchesByRecordedDifferences() throws IOException {
    Path out = folder.resolve("searched.dq.zip");

    CommandRun run =
        CommandRun.succeed(
            "quantize",
            model,
            "--low-bits",
            4,
            "--max-drop",
            0.02,
            "--validation",
            data,
            "--statistics",
            differences,
            "--out",
            out);

    JsonNode search = run.json().get("search");
    int low = search.get("lowPrecisionLayers").intValue();
    assertTrue(low > 0, run.out());
    assertEquals(
        low,
        PackedArchive.read(out).layers().stream().filter(layer -> layer.weightBits() == 4).count());
    assertTrue(
        search.get("accuracy").doubleValue()
            >= search.get("baselineAccuracy").doubleValue() - 0.02);
    String statistic =
        String.format(
            Locale.ROOT,
            " %.3e ",
            WeightDifferences.fromJson(Files.readString(differences), "").statistic("layer0"));
    assertTrue(run.outLines().get(1).contains(statistic), run.out());
  }

  @Test
  void quantizeLowersByRankingAloneWithoutData() throws IOException {
    Path out = folder.resolve("ranked.dq.zip");
    CommandRun run =
        CommandRun.succeed(
            "quantize", model, "--statistics", differences, "--average-bits", 6.5, "--out", out);

    List<Double> lowered = new ArrayList<>();
    List<Double> kept = new ArrayList<>();
    WeightDifferences seen = WeightDifferences.fromJson(Files.readString(differences), "");
    PackedArchive.read(out)
        .layers()
        .forEach(
            layer -> {
              if (layer.weightBits() == 4) {
                lowered.add(seen.statistic(layer.name()));
              } else if (layer.parameterCount() > 0 && !layer.name().equals("layer3")) {
                kept.add(seen.statistic(layer.name()));
              }
            });
    assertTrue(lowered.size() > 0 && kept.size() > 0, run.out());
    assertTrue(Collections.max(lowered) <= Collections.min(kept), run.out());
    assertTrue(
        run.err()
            .matches(
                "(?s)a weight has [456]\\.\\d\\d bits on average; its accuracy was not measured\\s*"),
        run.err());

    CommandRun all =
        CommandRun.succeed(
            "quantize", model, "--statistics", differences, "--average-bits", 4, "--out", out);
    assertTrue(all.err().contains("all layers that may have 4 lowered"), all.err());
  }

  @Test
  void statisticsNeedSomethingToDecideBy() {
    Path out = folder.resolve("never.dq.zip");
    CommandRun alone = CommandRun.of("quantize", model, "--statistics", differences, "--out", out);
    assertEquals(2, alone.status());
    assertTrue(
        alone
            .err()
            .startsWith(
                "dl4j-quant: --statistics ranks the layers that get fewer bits, so it needs a"
                    + " --validation file to search them, or --average-bits to lower them without"
                    + " measuring"),
        alone.err());
    CommandRun both =
        CommandRun.of("quantize", model, "--average-bits", 5, "--validation", data, "--out", out);
    assertEquals(2, both.status());
    CommandRun few = CommandRun.of("quantize", model, "--average-bits", 3, "--out", out);
    assertEquals(2, few.status());
    assertTrue(
        few.err()
            .contains("--average-bits must be between --low-bits, 4, and --bits, 8, found 3.0"),
        few.err());
  }

  @Test
  void quantizeSearchesByNoiseWhereTrainingWasNotWatched() throws IOException {
    CommandRun run =
        CommandRun.succeed(
            "quantize",
            model,
            "--validation",
            data,
            "--max-drop",
            1,
            "--out",
            folder.resolve("noise.dq.zip"));

    assertEquals(2, run.json().get("search").get("lowPrecisionLayers").intValue(), run.out());
    assertTrue(
        run.outLines().get(4).matches("layer3 +OutputLayer +330 +8 .*"),
        () -> "ten classes ask for more than four bits\n" + run.out());
  }

  @Test
  void quantizeFollowsAPlan() throws IOException {
    PrecisionPlan plan =
        PrecisionPlan.uniform(LayerPrecision.weights(8)).with("layer0", LayerPrecision.weights(3));
    Path config = Files.writeString(folder.resolve("plan.json"), plan.toJson());
    Path out = folder.resolve("planned.dq.zip");

    CommandRun.succeed("quantize", model, "--config", config, "--out", out);

    assertEquals(plan, PackedArchive.read(out).plan());
    assertTrue(CommandRun.succeed("inspect", out).out().contains("MultiLayerNetwork, packed"));
  }
}
