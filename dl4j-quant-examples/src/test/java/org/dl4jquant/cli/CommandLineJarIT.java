package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.examples.CommandFixtures;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged jar runs alone, in a process of its own. */
final class CommandLineJarIT {
  private static final Path JAR = Path.of("target", "dl4j-quant.jar");
  private static final long SECONDS = 120;

  @TempDir Path folder;

  private String out = "";
  private String err = "";

  @Test
  void theJarRunsIntegersAndFailsQuietly() throws IOException, InterruptedException {
    MultiLayerNetwork network = CommandFixtures.untrained();
    Path model = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, model.toFile(), false);
    Path data =
        new Npz()
            .floats("x", CommandFixtures.testExamples().getFeatures())
            .floats("y", CommandFixtures.testExamples().getLabels())
            .write(folder.resolve("data.npz"));

    assertEquals(0, run("evaluate", model, "--data", data), err);
    assertEquals(1, out.lines().count(), out);
    assertEquals(
        CommandFixtures.testExamples().numExamples(),
        new ObjectMapper().readTree(out).get("samples").intValue());

    Path archive = folder.resolve("network.dq.zip");
    assertEquals(0, run("quantize", model, "--calibration", data, "--out", archive), err);
    assertEquals(0, run("evaluate", archive, "--engine", "integer", "--data", data), err);
    assertEquals("integer", new ObjectMapper().readTree(out).get("engine").textValue());

    assertEquals(1, run("inspect", data), err);
    assertEquals("", out);
    assertEquals(1, err.lines().count(), err);
    assertTrue(err.startsWith("dl4j-quant: " + data + ": is not a network"), err);
  }

  private int run(Object... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-jar");
    command.add(JAR.toAbsolutePath().toString());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    Path outFile = folder.resolve("out");
    Path errFile = folder.resolve("err");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(outFile.toFile())
            .redirectError(errFile.toFile())
            .start();
    if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    int status = process.waitFor();
    out = Files.readString(outFile, StandardCharsets.UTF_8);
    err = Files.readString(errFile, StandardCharsets.UTF_8);
    return status;
  }
}
