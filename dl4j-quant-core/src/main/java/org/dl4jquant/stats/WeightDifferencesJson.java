package org.dl4jquant.stats;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Arrays;

/**
 * The JSON form of weight differences, version 1: {@code {"version":1, "reference":"INITIAL",
 * "cycle":{"unit":"EPOCH","length":1}, "cycles":3, "layers":[{"name":"0", "frozen":false,
 * "parameters":[{"name":"W", "weights":8, "squares":0.5, "lastSquares":0.25, "channelSquares":[],
 * "channelLastSquares":[]}]}]}}. An infinite sum is the string {@code "Infinity"}.
 */
final class WeightDifferencesJson {
  private static final int VERSION = 1;
  private static final String INFINITY = "Infinity";
  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final String source;

  private WeightDifferencesJson(String source) {
    this.source = source;
  }

  static String write(WeightDifferences differences) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("version", VERSION);
    root.put("reference", differences.reference().name());
    root.putObject("cycle")
        .put("unit", differences.cycle().unit().name())
        .put("length", differences.cycle().length());
    root.put("cycles", differences.cycles());
    ArrayNode layers = root.putArray("layers");
    for (LayerDifference layer : differences.layers()) {
      ObjectNode node = layers.addObject();
      node.put("name", layer.layer()).put("frozen", layer.frozen());
      ArrayNode parameters = node.putArray("parameters");
      layer.parameters().forEach(parameter -> write(parameter, parameters.addObject()));
    }
    try {
      return MAPPER.writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("names and numbers are always JSON", e);
    }
  }

  private static void write(ParameterDifference parameter, ObjectNode node) {
    node.put("name", parameter.name()).put("weights", parameter.weights());
    node.put("squares", parameter.squares()).put("lastSquares", parameter.lastSquares());
    ArrayNode all = node.putArray("channelSquares");
    parameter.channelSquares().forEach(all::add);
    ArrayNode last = node.putArray("channelLastSquares");
    parameter.channelLastSquares().forEach(last::add);
  }

  static WeightDifferences read(String json, String source) {
    WeightDifferencesJson reader = new WeightDifferencesJson(source);
    try {
      return reader.differences(MAPPER.readTree(json));
    } catch (JsonProcessingException e) {
      throw new InvalidStatisticsException(source, "is not JSON: " + e.getOriginalMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new InvalidStatisticsException(source, String.valueOf(e.getMessage()), e);
    }
  }

  private WeightDifferences differences(JsonNode root) {
    if (!root.isObject()) {
      throw invalid("the statistics", "a JSON object", root);
    }
    if (!root.path("version").isInt() || root.path("version").intValue() != VERSION) {
      throw invalid("version", String.valueOf(VERSION), root.path("version"));
    }
    JsonNode cycle = root.path("cycle");
    ImmutableList.Builder<LayerDifference> layers = ImmutableList.builder();
    array(root, "layers").forEach(layer -> layers.add(layer(layer)));
    return new WeightDifferences(
        constant(root, "reference", DifferenceReference.values()),
        new TrainingCycle(
            constant(cycle, "unit", TrainingCycle.Unit.values()),
            Math.toIntExact(Math.min(Integer.MAX_VALUE, integer(cycle, "length")))),
        integer(root, "cycles"),
        layers.build());
  }

  private LayerDifference layer(JsonNode node) {
    if (!node.path("frozen").isBoolean()) {
      throw invalid("frozen", "true or false", node.path("frozen"));
    }
    ImmutableList.Builder<ParameterDifference> parameters = ImmutableList.builder();
    array(node, "parameters").forEach(parameter -> parameters.add(parameter(parameter)));
    return new LayerDifference(
        text(node, "name"), node.path("frozen").booleanValue(), parameters.build());
  }

  private ParameterDifference parameter(JsonNode node) {
    return new ParameterDifference(
        text(node, "name"),
        integer(node, "weights"),
        sum("squares", node.path("squares")),
        sum("lastSquares", node.path("lastSquares")),
        sums(node, "channelSquares"),
        sums(node, "channelLastSquares"));
  }

  private ImmutableDoubleArray sums(JsonNode node, String field) {
    JsonNode array = array(node, field);
    ImmutableDoubleArray.Builder sums = ImmutableDoubleArray.builder();
    array.forEach(value -> sums.add(sum(field, value)));
    return sums.build();
  }

  private double sum(String field, JsonNode value) {
    if (value.isTextual() && value.textValue().equals(INFINITY)) {
      return Double.POSITIVE_INFINITY;
    }
    if (!value.isNumber()) {
      throw invalid(field, "a number", value);
    }
    return value.doubleValue();
  }

  private JsonNode array(JsonNode node, String field) {
    if (!node.path(field).isArray()) {
      throw invalid(field, "an array", node.path(field));
    }
    return node.path(field);
  }

  private String text(JsonNode node, String field) {
    if (!node.path(field).isTextual()) {
      throw invalid(field, "a text", node.path(field));
    }
    return node.path(field).textValue();
  }

  private long integer(JsonNode node, String field) {
    if (!node.path(field).canConvertToLong() || !node.path(field).isIntegralNumber()) {
      throw invalid(field, "an integer", node.path(field));
    }
    return node.path(field).longValue();
  }

  private <E extends Enum<E>> E constant(JsonNode node, String field, E[] values) {
    String text = text(node, field);
    for (E value : values) {
      if (value.name().equals(text)) {
        return value;
      }
    }
    throw invalid(field, "one of " + Arrays.toString(values), node.path(field));
  }

  private InvalidStatisticsException invalid(String field, String rule, JsonNode found) {
    String shown = found.isMissingNode() ? "nothing" : found.toString();
    return new InvalidStatisticsException(
        source,
        field
            + " must be "
            + rule
            + ", found "
            + (shown.length() > 80 ? shown.substring(0, 80) + "..." : shown));
  }
}
