package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run. */
final class ExportToOnnxTest {
  @TempDir Path folder;

  @Test
  void writesTwoFilesOfEqualCodes() throws IOException {
    OnnxComparison comparison = ExportToOnnx.run(folder, 1);
    assertTrue(comparison.elements() > 1_000_000, comparison.toJson());
    assertEquals(
        0,
        comparison.layers().stream()
            .filter(OnnxComparison.Layer::promised)
            .mapToLong(OnnxComparison.Layer::mismatches)
            .sum(),
        comparison.toJson());
    assertTrue(
        Files.size(folder.resolve("digits-int8.onnx"))
            < Files.size(folder.resolve("digits-float.onnx")));
  }
}
