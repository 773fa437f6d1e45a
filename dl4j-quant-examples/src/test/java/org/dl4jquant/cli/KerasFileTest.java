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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;

/** Models in the layout of Keras 2, with labels that NumPy computed: {@code keras-files.py}. */
final class KerasFileTest {
  @TempDir Path folder;

  @Test
  void aSequentialModelKeepsItsClasses() throws IOException {
    agrees("keras-sequential", "MultiLayerNetwork, 1079 parameters");
  }

  @Test
  void aFunctionalModelKeepsItsClasses() throws IOException {
    agrees("keras-functional", "ComputationGraph, 429 parameters");
  }

  @Test
  void imagesMustHaveTheChannelsLast() throws IOException {
    Path model = resource("keras-sequential.h5");
    Path data =
        new Npz()
            .floats("x", Nd4j.rand(2, 2, 8, 8))
            .int64("y", 0, 1)
            .write(folder.resolve("d.npz"));

    CommandRun.fail(
        1,
        data
            + ": features must have shape [examples, height, width, 2] for this network, found"
            + " [2, 2, 8, 8]",
        "evaluate",
        model,
        "--data",
        data);
  }

  @Test
  void aFileThatIsCutOffFailsInOneLine() throws IOException {
    byte[] whole = Files.readAllBytes(resource("keras-sequential.h5"));
    Path cut = Files.write(folder.resolve("cut.h5"), Arrays.copyOf(whole, 9000));

    CommandRun.fail(
        1, cut + ": Deeplearning4j cannot import this Keras model: H5Fopen failed", "inspect", cut);
  }

  private void agrees(String name, String summary) throws IOException {
    Path model = resource(name + ".h5");
    Path data = resource(name + ".npz");
    Path out = folder.resolve("quantized.dq.zip");

    assertTrue(CommandRun.succeed("inspect", model).out().startsWith(summary));
    JsonNode exact = CommandRun.succeed("evaluate", model, "--data", data).json();
    assertEquals(1.0, exact.get("accuracy").doubleValue());
    CommandRun.succeed("quantize", model, "--bits", 12, "--out", out);
    JsonNode result =
        CommandRun.succeed("evaluate", out, "--data", data, "--reference", model).json();
    assertTrue(result.get("logitSqnrDb").doubleValue() > 55, result::toString);
    CommandRun.succeed("quantize", model, "--calibration", data, "--out", out);
    String inspected = CommandRun.succeed("inspect", out).out();
    assertFalse(inspected.contains("\ninput"), inspected);
    JsonNode integers =
        CommandRun.succeed(
                "evaluate", out, "--engine", "integer", "--data", data, "--reference", model)
            .json();
    assertTrue(integers.get("logitSqnrDb").doubleValue() > 25, integers::toString);
    assertTrue(integers.get("accuracy").doubleValue() > 0.9, integers::toString);
  }

  private Path resource(String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = KerasFileTest.class.getResourceAsStream(name)) {
      Files.write(file, in.readAllBytes());
    }
    return file;
  }
}
