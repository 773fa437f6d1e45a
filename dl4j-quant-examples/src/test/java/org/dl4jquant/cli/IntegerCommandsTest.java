package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.examples.CommandFixtures;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A network that plain DL4J trained is calibrated, and computes in integers. */
final class IntegerCommandsTest {
  @TempDir static Path folder;

  private static MultiLayerNetwork network;
  private static Path model;
  private static Path data;
  private static Path calibration;
  private static double accuracy;

  @BeforeAll
  static void trainAndSave() throws IOException {
    network = CommandFixtures.untrained();
    network.fit(CommandFixtures.trainingBatches(), 4);
    model = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, model.toFile(), true);
    DataSet test = CommandFixtures.testExamples();
    data =
        new Npz()
            .floats("x", test.getFeatures())
            .int64("y", test.getLabels().argMax(1).toIntVector())
            .write(folder.resolve("test.npz"));
    INDArray seen = CommandFixtures.trainingBatches().next().getFeatures();
    calibration = new Npz().floats("x", seen).write(folder.resolve("calibration.npz"));
    accuracy =
        CommandRun.succeed("evaluate", model, "--data", data).json().get("accuracy").doubleValue();
  }

  private static JsonNode evaluate(Object archive) throws IOException {
    return CommandRun.succeed(
            "evaluate", archive, "--engine", "integer", "--data", data, "--reference", model)
        .json();
  }

  @Test
  void quantizeMakesIntegersThatAreAsGood() throws IOException {
    Path out = folder.resolve("integers.dq.zip");
    Path plain = folder.resolve("plain.zip");
    Path report = folder.resolve("report");

    CommandRun run =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            calibration,
            "--out",
            out,
            "--plain",
            plain,
            "--report",
            report);

    assertTrue(
        run.out()
            .contains(
                """
                The network computes in integers, but for:
                layer3: integer, softmax in float
                """),
        run.out());
    assertEquals("integers", run.json().get("computesIn").textValue());
    JsonNode json = new ObjectMapper().readTree(report.resolve("report.json").toFile());
    assertEquals("integer", json.get("layers").get(0).get("computation").textValue());
    assertEquals("mse", json.get("activationStrategy").textValue());
    String page = Files.readString(report.resolve("report.html"));
    assertTrue(page.contains("<dd>layer3: integer, softmax in float</dd>"), page);
    QuantizedModel read = PackedArchive.read(out);
    assertEquals(8, read.activations().get("layer0").bitWidth());
    assertEquals("mse", read.provenance().activationStrategy());
    JsonNode integer = evaluate(out);
    assertEquals("integer", integer.get("engine").textValue());
    assertTrue(integer.get("accuracy").doubleValue() > accuracy - 0.01, integer::toString);
    assertTrue(integer.get("agreement").doubleValue() > 0.97, integer::toString);
    double decibels = integer.get("logitSqnrDb").doubleValue();
    assertTrue(decibels > 25, integer::toString);
    double faked =
        CommandRun.succeed("evaluate", out, "--data", data, "--reference", model)
            .json()
            .get("logitSqnrDb")
            .doubleValue();
    assertEquals(decibels, faked, 0.2, "DL4J computes the same");
    double weightsOnly =
        CommandRun.succeed("evaluate", plain, "--data", data, "--reference", model)
            .json()
            .get("logitSqnrDb")
            .doubleValue();
    assertNotEquals(decibels, weightsOnly, 0.01, "values are float there");
    CommandRun inspected = CommandRun.succeed("inspect", out);
    assertTrue(inspected.outLines().get(2).endsWith("  integer"), inspected.out());
    CommandRun again =
        CommandRun.succeed("quantize", out, "--bits", 4, "--out", folder.resolve("again.dq.zip"));
    assertTrue(again.err().contains("is quantized already"), again.err());
  }

  @Test
  void examplesWithFeaturesThatAreNoNumbersAreLeftOutAndTold() throws IOException {
    INDArray seen = CommandFixtures.trainingBatches().next().getFeatures();
    int examples = Math.toIntExact(seen.size(0));
    INDArray broken = Nd4j.concat(0, seen, seen.dup());
    broken.putScalar((long) examples * seen.length() / examples + 3, Float.NaN);
    for (int i = 0; i < examples; i++) {
      broken.putScalar((i + examples) * (seen.length() / examples), Float.NEGATIVE_INFINITY);
    }
    Path file = new Npz().floats("x", broken).write(folder.resolve("broken.npz"));
    Path whole = folder.resolve("whole.dq.zip");
    Path out = folder.resolve("broken.dq.zip");
    CommandRun.succeed("quantize", model, "--calibration", calibration, "--out", whole);
    CommandRun run = CommandRun.succeed("quantize", model, "--calibration", file, "--out", out);
    assertTrue(
        run.out()
            .contains(
                "calibrated on %1$s examples; left out %1$s with features that are NaN or infinite"
                    .formatted(examples)),
        run.out());
    assertEquals(examples, run.json().get("calibrationExamples").intValue());
    assertEquals(examples, run.json().get("leftOutExamples").intValue());
    assertEquals(PackedArchive.read(whole).activations(), PackedArchive.read(out).activations());
    assertEquals(examples, PackedArchive.read(out).provenance().leftOutExamples());
  }

  @Test
  void everyStrategyAndWidthHasItsEffect() throws IOException {
    Path out = folder.resolve("strategy.dq.zip");
    Set<Double> seen = new HashSet<>();
    for (String strategy : new String[] {"max-abs", "percentile:90", "sigma:1", "kl", "pdf"}) {
      CommandRun.succeed(
          "quantize",
          model,
          "--calibration",
          calibration,
          "--activation-bits",
          5,
          "--strategy",
          strategy,
          "--out",
          out);
      assertEquals(5, PackedArchive.read(out).activations().get("input").bitWidth());
      seen.add(evaluate(out).get("logitSqnrDb").doubleValue());
    }
    assertTrue(seen.size() >= 3, seen::toString);
  }

  @Test
  void theSearchMeasuresIntegers() throws IOException {
    Path out = folder.resolve("searched.dq.zip");

    CommandRun run =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            calibration,
            "--low-bits",
            4,
            "--max-drop",
            0.02,
            "--validation",
            data,
            "--out",
            out);

    JsonNode search = run.json().get("search");
    assertTrue(search.get("lowPrecisionLayers").intValue() > 0, run.out());
    assertEquals(
        search.get("accuracy").doubleValue(), evaluate(out).get("accuracy").doubleValue(), 1e-12);
  }

  @Test
  void aPlanStatesTheBitsOfValuesToo() throws IOException {
    Path out = folder.resolve("planned.dq.zip");
    PrecisionPlan plan =
        PrecisionPlan.uniform(LayerPrecision.of(8, 8)).with("layer0", LayerPrecision.of(6, 5));
    Path config = Files.writeString(folder.resolve("plan.json"), plan.toJson());
    Object[] call = {"quantize", model, "--config", config, "--out", out, "--calibration", data};

    CommandRun.succeed(call);

    QuantizedModel read = PackedArchive.read(out);
    assertEquals(5, read.activations().get("layer0").bitWidth());
    assertNotEquals(5, read.activations().get("layer2").bitWidth());
    CommandRun ignored = CommandRun.succeed("quantize", model, "--config", config, "--out", out);
    assertTrue(ignored.err().contains("no effect without --calibration"), ignored.err());
    Files.writeString(config, PrecisionPlan.uniform(LayerPrecision.weights(8)).toJson());
    CommandRun floats = CommandRun.succeed(call);
    assertTrue(floats.out().contains("only weights are quantized"), floats.out());
    assertEquals("floats", floats.json().get("computesIn").textValue());
  }

  @Test
  void integersNeedAnArchiveThatHasThem() throws IOException {
    Path weights = folder.resolve("weights.dq.zip");
    CommandRun.succeed("quantize", model, "--out", weights);
    String remedy = "integers need an archive that quantize --calibration FILE has written";
    CommandRun.fail(
        1,
        model + ": is a float network; " + remedy,
        "evaluate",
        model,
        "--engine",
        "integer",
        "--data",
        data);
    CommandRun.fail(
        1,
        weights + ": holds quantized weights alone; " + remedy,
        "evaluate",
        weights,
        "--engine",
        "integer",
        "--data",
        data);
  }

  @Test
  void wrongCallsAndDataAreNamed() throws IOException {
    Path out = folder.resolve("never.dq.zip");
    usage(
        "--activation-bits needs a --calibration file to learn the range of values from",
        "--activation-bits",
        8);
    usage(
        "--strategy needs a --calibration file to learn the range of values from",
        "--strategy",
        "mse");
    usage(
        "--activation-bits must be between 4 and 16, found 3",
        "--calibration",
        data,
        "--activation-bits",
        3);
    usage(
        "--rounding must be nearest or adaptive, found 'up'",
        "--calibration",
        data,
        "--rounding",
        "up");
    usage(
        "--rounding needs a --calibration file to learn the range of values from",
        "--rounding",
        "nearest");
    usage(
        "--strategy must be one of max-abs, percentile, sigma, mse, kl, pdf,"
            + " channel-statistics, auto, or as percentile:99.9, sigma:6, pdf:kurtosis, pdf:refined"
            + " or channel-statistics:laplace, found 'best'",
        "--calibration",
        data,
        "--strategy",
        "best");
    Path large = new Npz().floats("x", Nd4j.rand(3, 1, 9, 12)).write(folder.resolve("large.npz"));
    CommandRun misfit = CommandRun.of("quantize", model, "--calibration", large, "--out", out);
    assertEquals(1, misfit.status());
    assertTrue(
        misfit
            .err()
            .startsWith(
                "dl4j-quant: "
                    + model
                    + ": cannot take features of shape [3, 1, 9, 12], must have [examples, 1, 8 to"
                    + " 9, 8 to 9]: "),
        misfit.err());
    Path broken =
        new Npz()
            .floats(
                "x",
                Nd4j.rand(2, 1, 8, 8)
                    .putScalar(70, Float.POSITIVE_INFINITY)
                    .putScalar(3, Float.NaN))
            .write(folder.resolve("broken.npz"));
    CommandRun.fail(
        1,
        broken + ": must hold an example whose features are finite, found NaN or infinity in all 2",
        "quantize",
        model,
        "--calibration",
        broken,
        "--out",
        out);
    assertTrue(Files.notExists(out));
  }

  private static void usage(String message, Object... options) {
    Object[] call = new Object[options.length + 4];
    call[0] = "quantize";
    call[1] = model;
    call[2] = "--out";
    call[3] = folder.resolve("never.dq.zip");
    System.arraycopy(options, 0, call, 4, options.length);
    CommandRun.fail(2, message + "; try --help", call);
  }
}
