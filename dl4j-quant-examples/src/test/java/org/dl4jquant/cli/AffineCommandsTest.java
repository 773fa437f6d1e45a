package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --scheme affine}, from the network to the file that ONNX Runtime runs. */
final class AffineCommandsTest {
  @TempDir static Path folder;

  private static Path model;
  private static Path data;
  private static Path archive;
  private static CommandRun made;

  @BeforeAll
  static void save() throws IOException {
    UntrainedFiles files = UntrainedFiles.write(folder);
    model = files.model();
    data = files.data();
    archive = folder.resolve("affine.dq.zip");
    made =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            data,
            "--scheme",
            "affine",
            "--target",
            "onnx",
            "--report",
            folder.resolve("report"),
            "--out",
            archive);
  }

  private static JsonNode evaluate(Path file, String engine) throws IOException {
    return CommandRun.succeed(
            "evaluate", file, "--engine", engine, "--data", data, "--reference", model)
        .json();
  }

  @Test
  void planAndReportNameSchemeScalesAndZeroPoints() throws IOException {
    assertEquals("affine", made.json().get("scheme").textValue());
    Path report = folder.resolve("report");
    assertTrue(Files.readString(report.resolve("plan.json")).contains("\"scheme\" : \"affine\""));
    JsonNode json = new ObjectMapper().readTree(report.resolve("report.json").toFile());
    JsonNode first = json.findValue("minScale");
    assertTrue(first.doubleValue() > 0, json::toString);
    assertTrue(json.findValue("maxScale").doubleValue() > 0, json::toString);
    assertTrue(json.findValue("valueScale").doubleValue() > 0, json::toString);
    assertTrue(json.findValue("valueZeroPoint").isIntegralNumber(), json::toString);
    assertTrue(made.out().contains(" @ 0"), made.out());
    CommandRun again =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            data,
            "--config",
            report.resolve("plan.json"),
            "--out",
            folder.resolve("again.dq.zip"));
    assertEquals("affine", again.json().get("scheme").textValue());
    assertEquals(
        evaluate(archive, "integer").get("logitSqnrDb"),
        evaluate(folder.resolve("again.dq.zip"), "integer").get("logitSqnrDb"));
  }

  @Test
  void comesNearerThanFixedPointOfOneFormatPerValue() throws IOException {
    Path fixed = folder.resolve("fixed.dq.zip");
    CommandRun plain =
        CommandRun.succeed(
            "quantize", model, "--calibration", data, "--target", "onnx", "--out", fixed);
    assertEquals("fixed-point", plain.json().get("scheme").textValue());
    double own = evaluate(archive, "integer").get("logitSqnrDb").doubleValue();
    double other = evaluate(fixed, "integer").get("logitSqnrDb").doubleValue();
    assertTrue(own > other + 1, own + " dB after " + other);
    double simulated = evaluate(archive, "dl4j").get("logitSqnrDb").doubleValue();
    assertEquals(own, simulated, 0.05);
  }

  @Test
  void onnxRuntimeGivesTheSameButForFewCodes() throws IOException {
    Path onnx = folder.resolve("affine.onnx");
    CommandRun.succeed("export", archive, "--onnx", onnx);
    JsonNode verified =
        CommandRun.succeed("verify", archive, "--onnx", onnx, "--data", data).json();
    long elements = verified.get("elements").longValue();
    assertTrue(elements > 100_000, verified::toString);
    assertTrue(verified.get("mismatches").longValue() < elements / 1000, verified::toString);
    assertEquals(
        evaluate(archive, "integer").get("logitSqnrDb").doubleValue(),
        evaluate(archive, "onnx").get("logitSqnrDb").doubleValue(),
        0.05);
  }

  @Test
  void whatMakesNoSenseIsSaid() {
    Object[] start = {"quantize", model, "--calibration", data, "--scheme"};
    refused("--scheme must be fixed-point or affine, found 'float'", start, "float");
    refused(
        "--strategy must be max-abs, percentile, sigma, mse, kl or auto with --scheme affine,"
            + " found 'pdf'",
        start,
        "affine",
        "--strategy",
        "pdf");
    refused(
        "--alignment must be none or left out with --scheme affine, found 'shift-max'",
        start,
        "affine",
        "--alignment",
        "shift-max");
    CommandRun weights =
        CommandRun.of(
            "quantize", model, "--scheme", "affine", "--out", folder.resolve("weights.dq.zip"));
    assertTrue(weights.out().contains("\"scheme\":\"affine\""), weights.err());
  }

  private static void refused(String message, Object[] start, Object... end) {
    Object[] call = java.util.Arrays.copyOf(start, start.length + end.length + 2);
    System.arraycopy(end, 0, call, start.length, end.length);
    call[call.length - 2] = "--out";
    call[call.length - 1] = folder.resolve("refused.dq.zip");
    CommandRun run = CommandRun.of(call);
    assertTrue(run.err().contains(message), run.err());
  }
}
