package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --logarithmic}, from the network to the file that ONNX Runtime runs. */
final class LogarithmicCommandsTest {
  @TempDir static Path folder;

  private static Path model;
  private static Path data;

  @BeforeAll
  static void save() throws IOException {
    UntrainedFiles files = UntrainedFiles.write(folder);
    model = files.model();
    data = files.data();
  }

  @Test
  void levelsAreReportedArchivedAndExported() throws IOException {
    Path archive = folder.resolve("log.dq.zip");
    Path report = folder.resolve("report");
    CommandRun made =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            data,
            "--activation-bits",
            "4",
            "--logarithmic",
            "8",
            "--target",
            "onnx",
            "--report",
            report,
            "--out",
            archive);
    assertTrue(made.out().contains("; logarithmic after a ReLU on grids of 8 bits"), made.out());
    JsonNode json = new ObjectMapper().readTree(report.resolve("report.json").toFile());
    assertEquals(16, json.findValue("valueLevels").get("levels").intValue());
    Path onnx = folder.resolve("log.onnx");
    CommandRun.succeed("export", archive, "--onnx", onnx);
    JsonNode verified =
        CommandRun.succeed("verify", archive, "--onnx", onnx, "--data", data).json();
    assertTrue(verified.get("elements").longValue() > 100_000, verified::toString);
    assertEquals(0, verified.get("mismatches").longValue(), verified::toString);
  }

  @Test
  void whatMakesNoSenseIsSaid() {
    refused(
        "--logarithmic needs a --calibration file to learn the range of values from",
        "--logarithmic",
        "8");
    refused(
        "--logarithmic must be between 8 and 16, found 7",
        "--calibration",
        data,
        "--logarithmic",
        "7");
    refused(
        "--logarithmic must be left out with --scheme affine, found 8",
        "--calibration",
        data,
        "--logarithmic",
        "8",
        "--scheme",
        "affine");
  }

  private static void refused(String message, Object... options) {
    Object[] call = new Object[options.length + 4];
    call[0] = "quantize";
    call[1] = model;
    System.arraycopy(options, 0, call, 2, options.length);
    call[call.length - 2] = "--out";
    call[call.length - 1] = folder.resolve("refused.dq.zip");
    CommandRun run = CommandRun.of(call);
    assertTrue(run.err().contains(message), run.err());
  }
}
