package org.dl4jquant.precision;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * A file with one JSON object per line and evaluated plan, written as each evaluation ends: {@code
 * {"plan":sha256, "averageWeightBits":6.1, "metric":0.97}}. A line that was cut off at the end of
 * the file is dropped; any other damage is an error. Searches keep one by {@link
 * SearchBuilder#trialLog}. Not thread-safe; for one process.
 */
public final class TrialLog {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path file;
  private final Map<String, Double> metrics = new HashMap<>();

  private TrialLog(Path file) {
    this.file = file;
  }

  /**
   * Returns an evaluator that keeps what the given one returns in a file, and evaluates no plan
   * that the file has: for what asks for the metrics of plans one by one, such as {@link
   * SensitivitySearch#measure}.
   *
   * @param file of one network and metric; need not exist
   * @throws InvalidPlanException if the file is damaged
   */
  public static ToDoubleFunction<PrecisionPlan> remembering(
      Path file, ToDoubleFunction<PrecisionPlan> evaluator) {
    TrialLog log = open(file);
    return plan -> {
      OptionalDouble known = log.find(plan);
      double metric = known.isPresent() ? known.getAsDouble() : evaluator.applyAsDouble(plan);
      if (known.isEmpty()) {
        log.append(plan, OptionalDouble.empty(), metric);
      }
      return metric;
    };
  }

  /** Opens a log, which may not exist yet. */
  static TrialLog open(Path file) {
    TrialLog log = new TrialLog(file);
    try {
      if (Files.exists(file)) {
        log.read(Files.readString(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
    return log;
  }

  private void read(String content) throws IOException {
    int end = content.lastIndexOf('\n') + 1;
    if (end < content.length()) {
      Files.writeString(file, content.substring(0, end));
    }
    List<String> lines = content.substring(0, end).lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      JsonNode trial;
      try {
        trial = MAPPER.readTree(lines.get(i));
      } catch (JsonProcessingException e) {
        throw new InvalidPlanException(file.toString(), "line " + (i + 1) + " is not JSON", e);
      }
      if (!trial.path("plan").isTextual() || !isMetric(trial.path("metric"))) {
        throw new InvalidPlanException(
            file.toString(), "line " + (i + 1) + " must have a plan and a metric");
      }
      metrics.put(trial.get("plan").textValue(), metric(trial.get("metric")));
    }
  }

  /** JSON has no NaN and no infinities; they are written as text. */
  private static boolean isMetric(JsonNode node) {
    return node.isNumber()
        || (node.isTextual() && List.of("NaN", "Infinity", "-Infinity").contains(node.textValue()));
  }

  private static double metric(JsonNode node) {
    return node.isNumber() ? node.doubleValue() : Double.parseDouble(node.textValue());
  }

  /** Returns the metric of a plan that has been evaluated before. */
  OptionalDouble find(PrecisionPlan plan) {
    Double metric = metrics.get(key(plan));
    return metric == null ? OptionalDouble.empty() : OptionalDouble.of(metric);
  }

  /** Writes one trial and has it on disk before it returns. */
  void append(PrecisionPlan plan, OptionalDouble averageWeightBits, double metric) {
    ObjectNode trial = MAPPER.createObjectNode().put("plan", key(plan));
    averageWeightBits.ifPresent(bits -> trial.put("averageWeightBits", bits));
    String line = trial.put("metric", metric) + "\n";
    try {
      Files.writeString(
          file,
          line,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND,
          StandardOpenOption.SYNC);
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
    metrics.put(key(plan), metric);
  }

  private static String key(PrecisionPlan plan) {
    return Hashing.sha256().hashString(plan.toJson(), StandardCharsets.UTF_8).toString();
  }
}
