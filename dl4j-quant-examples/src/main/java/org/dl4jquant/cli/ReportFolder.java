package org.dl4jquant.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.report.QuantizationReport;

/** Writes what was done into a folder, for people and for programs. */
final class ReportFolder {
  private ReportFolder() {}

  /**
   * Writes {@code report.txt}, the table; {@code report.json}, the summary with the {@code layers},
   * each with what computes it; and {@code plan.json}, which {@code --config} takes.
   *
   * @throws java.io.UncheckedIOException if a file cannot be written
   */
  static void write(
      Path folder, QuantizationReport report, QuantizedModel model, ObjectNode summary) {
    Computation computation = Computation.of(model);
    ArrayNode layers = report.toJson();
    for (JsonNode layer : layers) {
      String name = layer.get("name").textValue();
      ((ObjectNode) layer).put("computation", computation.layers().get(name));
    }
    ObjectNode json = summary.deepCopy();
    json.set("layers", layers);
    write(folder.resolve("report.txt"), report.table());
    write(folder.resolve("report.json"), json.toPrettyString() + "\n");
    write(folder.resolve("plan.json"), model.plan().toJson());
  }

  private static void write(Path file, String text) {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }
}
