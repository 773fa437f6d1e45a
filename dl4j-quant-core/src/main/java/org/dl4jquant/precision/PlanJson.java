package org.dl4jquant.precision;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The JSON form of a plan: {@code {"version":1, "target":"integer", "scheme":"affine",
 * "default":{...}, "layers":{"name": {...}}}}, each precision as {@code {"weightBits":8,
 * "activationBits":8, "biasBits":16}}; target and scheme may be left out.
 */
final class PlanJson {
  private static final int VERSION = 1;
  private static final String TARGET = "target";
  private static final String SCHEME = "scheme";
  private static final String WEIGHT_BITS = "weightBits";
  private static final String ACTIVATION_BITS = "activationBits";
  private static final String BIAS_BITS = "biasBits";
  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private PlanJson() {}

  static String write(PrecisionPlan plan) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("version", VERSION);
    plan.target().ifPresent(target -> root.put(TARGET, target.word()));
    plan.scheme().ifPresent(scheme -> root.put(SCHEME, scheme.word()));
    root.set("default", write(plan.fallback()));
    ObjectNode layers = root.putObject("layers");
    plan.layers().forEach((layer, precision) -> layers.set(layer, write(precision)));
    try {
      return MAPPER.writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a plan of names and numbers is always JSON", e);
    }
  }

  private static ObjectNode write(LayerPrecision precision) {
    return MAPPER
        .createObjectNode()
        .put(WEIGHT_BITS, precision.weightBits())
        .put(ACTIVATION_BITS, precision.activationBits())
        .put(BIAS_BITS, precision.biasBits());
  }

  static PrecisionPlan read(String json, String source) {
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new InvalidPlanException(source, "is not JSON: " + e.getOriginalMessage(), e);
    }
    if (!root.isObject()) {
      throw new InvalidPlanException(source, "must be a JSON object, found " + root.getNodeType());
    }
    JsonNode version = root.path("version");
    if (!version.isInt() || version.intValue() != VERSION) {
      throw new InvalidPlanException(
          source,
          "version must be "
              + VERSION
              + ", found "
              + (version.isMissingNode() ? "nothing" : version));
    }
    requireFields(
        root, ImmutableSet.of("version", TARGET, SCHEME, "default", "layers"), "plan", source);
    if (!root.path("layers").isObject()) {
      throw new InvalidPlanException(
          source, "layers must be an object, found " + root.path("layers").getNodeType());
    }
    PrecisionPlan plan = PrecisionPlan.uniform(precision(root.path("default"), "default", source));
    if (root.has(TARGET)) {
      plan = plan.with(named(root.path(TARGET), source, Target::named));
    }
    if (root.has(SCHEME)) {
      plan = plan.with(named(root.path(SCHEME), source, Scheme::named));
    }
    Iterator<Map.Entry<String, JsonNode>> layers = root.path("layers").fields();
    while (layers.hasNext()) {
      Map.Entry<String, JsonNode> layer = layers.next();
      if (layer.getKey().isEmpty()) {
        throw new InvalidPlanException(source, "layers must have names, found an empty one");
      }
      plan = plan.with(layer.getKey(), precision(layer.getValue(), layer.getKey(), source));
    }
    return plan;
  }

  private static <T> T named(JsonNode node, String source, Function<String, T> known) {
    try {
      return known.apply(node.asText());
    } catch (IllegalArgumentException e) {
      throw new InvalidPlanException(source, String.valueOf(e.getMessage()), e);
    }
  }

  private static LayerPrecision precision(JsonNode node, String layer, String source) {
    requireFields(
        node, ImmutableSet.of(WEIGHT_BITS, ACTIVATION_BITS, BIAS_BITS), "layer " + layer, source);
    try {
      return new LayerPrecision(
          bits(node, WEIGHT_BITS, layer, source),
          bits(node, ACTIVATION_BITS, layer, source),
          bits(node, BIAS_BITS, layer, source));
    } catch (IllegalArgumentException e) {
      throw new InvalidPlanException(source, "layer " + layer + ": " + e.getMessage(), e);
    }
  }

  private static int bits(JsonNode node, String field, String layer, String source) {
    JsonNode bits = node.path(field);
    if (!bits.isInt()) {
      throw new InvalidPlanException(
          source, "layer " + layer + ": " + field + " must be an integer, found " + bits);
    }
    return bits.intValue();
  }

  private static void requireFields(JsonNode node, Set<String> known, String what, String source) {
    Iterator<String> names = node.fieldNames();
    while (names.hasNext()) {
      String name = names.next();
      if (!known.contains(name)) {
        throw new InvalidPlanException(
            source, what + " must have only the fields " + known + ", found " + name);
      }
    }
  }
}
