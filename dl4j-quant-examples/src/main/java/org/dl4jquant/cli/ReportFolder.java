package org.dl4jquant.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableMap;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.report.QuantizationReport;

/** Writes what was done into a folder, for people and for programs. */
final class ReportFolder {
  private ReportFolder() {}

  /**
   * Writes {@code report.txt}, the table; {@code report.html}, the same as a page; {@code
   * report.json}, the summary with the {@code layers}, each with what computes it; and {@code
   * plan.json}, which {@code --config} takes.
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
    write(folder.resolve("report.html"), report.toHtml(facts(summary, computation)));
    write(folder.resolve("report.json"), json.toPrettyString() + "\n");
    write(folder.resolve("plan.json"), model.plan().toJson());
  }

  private static ImmutableMap<String, String> facts(ObjectNode summary, Computation computation) {
    ImmutableMap.Builder<String, String> facts = ImmutableMap.builder();
    facts.put("Archive", summary.path("out").asText());
    facts.put("Computes in", summary.path("computesIn").asText());
    if (summary.hasNonNull("target")) {
      facts.put("Target", summary.path("target").asText());
      if (!computation.exceptions().isEmpty()) {
        facts.put("Not in integers alone", String.join("; ", computation.exceptions()));
      }
    }
    JsonNode search = summary.path("search");
    if (search.isObject()) {
      facts.put(
          "Search",
          String.format(
              Locale.ROOT,
              "%d layers at low bits, %.2f bits per weight; accuracy %.4f, %.4f before",
              search.path("lowPrecisionLayers").asInt(),
              search.path("averageWeightBits").asDouble(),
              search.path("accuracy").asDouble(),
              search.path("baselineAccuracy").asDouble()));
    }
    return facts.buildOrThrow();
  }

  private static void write(Path file, String text) {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }
}
