package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What is written as ONNX is what ONNX Runtime computes. */
final class OnnxCommandsTest {
  @TempDir static Path folder;

  private static Path model;
  private static Path archive;
  private static Path data;

  @BeforeAll
  static void save() throws IOException {
    UntrainedFiles files = UntrainedFiles.write(folder);
    model = files.model();
    data = files.data();
    archive = folder.resolve("network.dq.zip");
    CommandRun.succeed("quantize", model, "--calibration", data, "--out", archive);
  }

  private static JsonNode evaluate(Object... arguments) throws IOException {
    Object[] call = Arrays.copyOf(arguments, arguments.length + 6);
    System.arraycopy(
        new Object[] {"--data", data, "--engine", "onnx", "--reference", model},
        0,
        call,
        arguments.length,
        6);
    return CommandRun.succeed(call).json();
  }

  @Test
  void theIntegersOfTheFileAreThoseOfTheArchive() throws IOException {
    Path onnx = folder.resolve("network.onnx");

    CommandRun written = CommandRun.succeed("export", archive, "--onnx", onnx);
    JsonNode verified =
        CommandRun.succeed("verify", archive, "--onnx", onnx, "--data", data).json();

    assertTrue(written.out().startsWith(onnx + ": ONNX opset "), written.out());
    assertTrue(verified.get("elements").longValue() > 100_000, verified::toString);
    assertEquals(0, verified.get("mismatches").longValue());
    assertEquals(0, verified.get("maxDifference").intValue());
    assertEquals("input", verified.get("layers").get(0).get("name").textValue());
    JsonNode integers =
        CommandRun.succeed(
                "evaluate", archive, "--engine", "integer", "--data", data, "--reference", model)
            .json();
    for (JsonNode onnxRun :
        new JsonNode[] {
          evaluate("evaluate", archive), evaluate("evaluate", archive, "--onnx", onnx)
        }) {
      assertEquals("onnx", onnxRun.get("engine").textValue());
      for (String field : new String[] {"accuracy", "agreement", "logitSqnrDb"}) {
        assertEquals(
            integers.get(field).doubleValue(), onnxRun.get(field).doubleValue(), 1e-9, field);
      }
    }
  }

  @Test
  void theTargetDecidesWhetherValuesHaveAFormatPerChannel() throws IOException {
    Path own = folder.resolve("target.dq.zip");
    Path plan = folder.resolve("report").resolve("plan.json");
    Path onnx = folder.resolve("target.onnx");
    String advice = "quantize with --target onnx for its integer kernels";

    CommandRun usual = CommandRun.succeed("export", archive, "--onnx", onnx);
    assertTrue(usual.out().contains(advice), usual.out());
    CommandRun made =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            data,
            "--target",
            "onnx",
            "--report",
            folder.resolve("report"),
            "--out",
            own);
    assertEquals("onnx", made.json().get("target").textValue());
    assertTrue(Files.readString(plan).contains("\"target\" : \"onnx\""));
    CommandRun exported = CommandRun.succeed("export", own, "--onnx", onnx);
    assertFalse(exported.out().contains(advice), exported.out());
    CommandRun again =
        CommandRun.succeed(
            "quantize", model, "--calibration", data, "--config", plan, "--out", own);
    assertEquals("onnx", again.json().get("target").textValue());
    CommandRun overruled =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            data,
            "--config",
            plan,
            "--target",
            "integer",
            "--out",
            own);
    assertEquals("integer", overruled.json().get("target").textValue());
    CommandRun wrong =
        CommandRun.of("quantize", model, "--calibration", data, "--target", "tpu", "--out", own);
    assertTrue(wrong.err().contains("--target must be integer or onnx, found 'tpu'"), wrong.err());
    CommandRun early = CommandRun.of("quantize", model, "--target", "onnx", "--out", own);
    assertTrue(early.err().contains("--target needs a --calibration file"), early.err());
  }

  @Test
  void aFileOfOtherCodesFailsToVerify() throws IOException {
    Path other = folder.resolve("other.dq.zip");
    Path onnx = folder.resolve("other.onnx");
    CommandRun.succeed("quantize", model, "--bits", 5, "--calibration", data, "--out", other);
    CommandRun.succeed("export", other, "--onnx", onnx);

    CommandRun run = CommandRun.of("verify", archive, "--onnx", onnx, "--data", data);

    assertEquals(1, run.status(), run.out());
    assertTrue(run.json().get("mismatches").longValue() > 0, run.out());
    assertTrue(run.err().contains(" codes of '"), run.err());
  }

  @Test
  void floatsAreWrittenAsTheyAre() throws IOException {
    Path onnx = folder.resolve("float.onnx");

    CommandRun.succeed("export", model, "--onnx", onnx, "--float");

    JsonNode json = evaluate("evaluate", model, "--onnx", onnx);
    assertEquals(1.0, json.get("accuracy").doubleValue());
    assertTrue(json.get("logitSqnrDb").doubleValue() > 100, json::toString);
    CommandRun.fail(
        1,
        model + ": is a float network; add --float, or quantize it",
        "export",
        model,
        "--onnx",
        onnx);
  }

  @Test
  void weightsAloneAreWrittenAsCodes() throws IOException {
    Path weights = folder.resolve("weights.dq.zip");
    Path onnx = folder.resolve("weights.onnx");
    CommandRun.succeed("quantize", model, "--out", weights);

    String told = CommandRun.succeed("export", weights, "--onnx", onnx).out();

    assertTrue(told.contains("integer weights, computing in float"), told);
    JsonNode json = evaluate("evaluate", weights, "--onnx", onnx);
    JsonNode own = CommandRun.succeed("evaluate", weights, "--data", data).json();
    assertEquals(own.get("accuracy"), json.get("accuracy"));
    assertTrue(json.get("logitSqnrDb").doubleValue() > 25, json::toString);
    Path floats = folder.resolve("weights-float.onnx");
    CommandRun.succeed("export", weights, "--onnx", floats, "--float");
    assertTrue(Files.size(onnx) < 0.5 * Files.size(floats), () -> "bytes of " + onnx);
  }

  @Test
  void recurrentLayersKeepCodesOfTheirWeights() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(new LastTimeStep(new LSTM.Builder().nIn(3).nOut(6).build()))
                .layer(
                    new OutputLayer.Builder().nIn(6).nOut(4).activation(Activation.SOFTMAX).build())
                .build());
    network.init();
    Nd4j.getRandom().setSeed(7);
    INDArray x = Nd4j.randn(80, 3, 5);
    Path saved = folder.resolve("lstm.zip");
    ModelSerializer.writeModel(network, saved.toFile(), false);
    Path own =
        new Npz()
            .floats("x", x)
            .int64("y", network.output(x).argMax(1).toIntVector())
            .write(folder.resolve("lstm.npz"));
    Path out = folder.resolve("lstm.dq.zip");
    Path onnx = folder.resolve("lstm.onnx");
    CommandRun.succeed("quantize", saved, "--calibration", own, "--out", out);
    CommandRun.succeed("export", out, "--onnx", onnx);

    JsonNode json =
        CommandRun.succeed("evaluate", out, "--data", own, "--engine", "onnx", "--reference", saved)
            .json();
    assertTrue(json.get("logitSqnrDb").doubleValue() > 25, json::toString);
    CommandRun.succeed("verify", out, "--onnx", onnx, "--data", own);
  }

  @Test
  void aSigmoidIsTakenAwayToo() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(new DenseLayer.Builder().nIn(3).nOut(6).activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.XENT)
                        .nIn(6)
                        .nOut(1)
                        .activation(Activation.SIGMOID)
                        .build())
                .build());
    network.init();
    Nd4j.getRandom().setSeed(7);
    INDArray x = Nd4j.randn(80, 3);
    Path saved = folder.resolve("sigmoid.zip");
    Path out = folder.resolve("sigmoid.dq.zip");
    ModelSerializer.writeModel(network, saved.toFile(), false);
    Path own =
        new Npz()
            .floats("x", x)
            .floats("y", network.output(x).gt(0.5).castTo(DataType.FLOAT))
            .write(folder.resolve("sigmoid.npz"));
    CommandRun.succeed("quantize", saved, "--calibration", own, "--out", out);
    JsonNode[] runs = new JsonNode[2];
    for (int i = 0; i < 2; i++) {
      String engine = i == 0 ? "integer" : "onnx";
      runs[i] =
          CommandRun.succeed(
                  "evaluate", out, "--engine", engine, "--data", own, "--reference", saved)
              .json();
    }
    assertTrue(runs[0].get("logitSqnrDb").doubleValue() > 20, runs[0]::toString);
    assertEquals(
        runs[0].get("logitSqnrDb").doubleValue(),
        runs[1].get("logitSqnrDb").doubleValue(),
        1e-6,
        runs[1]::toString);
  }

  @Test
  void aKerasModelGoesAllTheWay() throws IOException {
    Path keras = resource("keras-sequential.h5");
    Path own = resource("keras-sequential.npz");
    Path out = folder.resolve("keras.dq.zip");
    Path onnx = folder.resolve("keras.onnx");
    CommandRun.succeed("quantize", keras, "--calibration", own, "--out", out);
    CommandRun.succeed("export", out, "--onnx", onnx);
    JsonNode verified = CommandRun.succeed("verify", out, "--onnx", onnx, "--data", own).json();
    assertTrue(verified.get("elements").longValue() > 0, verified::toString);
    JsonNode json =
        CommandRun.succeed(
                "evaluate",
                out,
                "--engine",
                "onnx",
                "--onnx",
                onnx,
                "--data",
                own,
                "--reference",
                keras)
            .json();
    assertTrue(json.get("logitSqnrDb").doubleValue() > 25, json::toString);
  }

  @Test
  void fourEnginesAreMeasured() throws IOException {
    CommandRun run = CommandRun.succeed("benchmark", archive, "--batch", 2, "--seconds", 0.2);

    JsonNode results = run.json().get("results");
    assertEquals(4, results.size(), run.out() + run.err());
    assertEquals("onnx int8", results.get(3).get("engine").textValue());
  }

  @Test
  void everyEngineNamesTheShapeThatItTakes() throws IOException {
    Path large =
        new Npz()
            .floats("x", Nd4j.rand(3, 1, 9, 12))
            .int64("y", 0, 1, 2)
            .write(folder.resolve("large.npz"));
    for (Engine engine : Engine.values()) {
      CommandRun run = CommandRun.of("evaluate", archive, "--engine", engine, "--data", large);
      assertEquals(1, run.status(), run.out());
      assertEquals(1, run.err().lines().count(), run.err());
      assertTrue(
          run.err()
              .contains(
                  ": cannot take features of shape [3, 1, 9, 12], must have [examples, 1, 8 to 9,"
                      + " 8 to 9]: "),
          run.err());
    }
  }

  @Test
  void whatIsNoOnnxIsNamed() throws IOException {
    Path text = Files.writeString(folder.resolve("text.onnx"), "hello, this is no model");
    Path empty = Files.createFile(folder.resolve("empty.onnx"));
    Path missing = folder.resolve("missing.onnx");
    for (Path file : new Path[] {text, empty, missing}) {
      for (Object[] call :
          new Object[][] {
            {"verify", archive, "--onnx", file, "--data", data},
            {"evaluate", archive, "--engine", "onnx", "--onnx", file, "--data", data},
            {"benchmark", archive, "--onnx", file}
          }) {
        CommandRun run = CommandRun.of(call);
        assertEquals(1, run.status(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(file.toString()), run.err());
      }
    }
    CommandRun.fail(
        2,
        "--onnx needs --engine onnx, found --engine dl4j; try --help",
        "evaluate",
        model,
        "--onnx",
        text,
        "--data",
        data);
    CommandRun.fail(
        2,
        "--float needs --onnx OUT.onnx; try --help",
        "export",
        model,
        "--float",
        "--c-header",
        "x.h");
  }

  private static Path resource(String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = OnnxCommandsTest.class.getResourceAsStream(name)) {
      Files.write(file, in.readAllBytes());
    }
    return file;
  }
}
