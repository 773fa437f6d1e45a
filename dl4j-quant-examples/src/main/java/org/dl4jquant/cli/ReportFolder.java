package org.dl4jquant.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.report.QuantizationReport;

/** Writes what was done into a folder, for people and for programs. */
final class ReportFolder {
  private ReportFolder() {}

  /**
   * Writes {@code report.txt}, the table; {@code report.json}, the summary with the {@code layers};
   * and {@code plan.json}, which {@code --config} takes.
   *
   * @throws java.io.UncheckedIOException if a file cannot be written
   */
  static void write(
      Path folder, QuantizationReport report, PrecisionPlan plan, ObjectNode summary) {
    ObjectNode json = summary.deepCopy();
    json.set("layers", report.toJson());
    write(folder.resolve("report.txt"), report.table());
    write(folder.resolve("report.json"), json.toPrettyString() + "\n");
    write(folder.resolve("plan.json"), plan.toJson());
  }

  private static void write(Path file, String text) {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }
}
