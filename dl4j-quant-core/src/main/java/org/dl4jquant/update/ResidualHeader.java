package org.dl4jquant.update;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.function.Function;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;

/**
 * The JSON header of a residual file.
 *
 * @param end the number of bytes of the file up to the first state
 */
record ResidualHeader(String modelDigest, ImmutableList<State> states, long end) {
  /** What the header says about one tensor. */
  record State(
      String layer,
      String parameter,
      ImmutableList<Long> shape,
      int length,
      UpdateRule rule,
      long steps,
      String sha256,
      ImmutableIntArray fractionalLengths) {
    ResidualTensor tensor(FineWeights weights) {
      return new ResidualTensor(layer, parameter, shape, weights, fractionalLengths);
    }
  }

  static ObjectNode of(ResidualArchive archive, Function<FineWeights, String> digest) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("format", "dl4j-quant residuals").put("modelDigest", archive.modelDigest());
    ArrayNode tensors = root.putArray("tensors");
    for (ResidualTensor tensor : archive.tensors()) {
      ObjectNode node = tensors.addObject();
      node.put("layer", tensor.layer()).put("parameter", tensor.parameter());
      ArrayNode shape = node.putArray("shape");
      tensor.shape().forEach(shape::add);
      node.put("steps", tensor.weights().steps());
      node.put("sha256", digest.apply(tensor.weights()));
      write(node.putObject("rule"), tensor.weights().rule());
      if (!tensor.fractionalLengths().isEmpty()) {
        tensor.fractionalLengths().forEach(node.putArray("fractionalLengths")::add);
      }
    }
    return root;
  }

  private static void write(ObjectNode node, UpdateRule rule) {
    FixedPointFormat format = rule.weightFormat();
    node.put("bitWidth", format.bitWidth())
        .put("fractionalLength", format.fractionalLength())
        .put("narrowRange", format.narrowRange())
        .put("extraBits", rule.extraBits())
        .put("thresholdExponent", rule.thresholdExponent())
        .put("period", rule.period())
        .put("readOut", rule.readOut().name())
        .put("saturation", rule.saturation().name())
        .put("tuning", rule.tuning().name())
        .put("seed", rule.seed());
  }

  static ResidualHeader parse(JsonNode root, long end) {
    ImmutableList.Builder<State> states = ImmutableList.builder();
    for (JsonNode node : field(root, "tensors")) {
      ImmutableList.Builder<Long> shape = ImmutableList.builder();
      long elements = 1;
      for (JsonNode size : field(node, "shape")) {
        shape.add(whole(size, "shape"));
        elements = Math.multiplyExact(elements, whole(size, "shape"));
      }
      long most = Integer.MAX_VALUE - 8;
      Checks.that(
          elements >= 0 && elements <= most, "shape", "have 0 to " + most + " elements", elements);
      states.add(
          new State(
              text(node, "layer"),
              text(node, "parameter"),
              shape.build(),
              (int) elements,
              rule(field(node, "rule")),
              whole(field(node, "steps"), "steps"),
              text(node, "sha256"),
              lengths(node)));
    }
    return new ResidualHeader(text(root, "modelDigest"), states.build(), end);
  }

  private static ImmutableIntArray lengths(JsonNode tensor) {
    ImmutableIntArray.Builder lengths = ImmutableIntArray.builder();
    for (JsonNode length : tensor.path("fractionalLengths")) {
      lengths.add(Math.toIntExact(whole(length, "fractionalLengths")));
    }
    return lengths.build();
  }

  private static UpdateRule rule(JsonNode node) {
    return new UpdateRule(
        new FixedPointFormat(
            number(node, "bitWidth"),
            number(node, "fractionalLength"),
            true,
            field(node, "narrowRange").asBoolean()),
        number(node, "extraBits"),
        number(node, "thresholdExponent"),
        number(node, "period"),
        ReadOut.valueOf(text(node, "readOut")),
        Saturation.valueOf(text(node, "saturation")),
        Tuning.valueOf(text(node, "tuning")),
        whole(field(node, "seed"), "seed"));
  }

  private static JsonNode field(JsonNode node, String name) {
    JsonNode value = node.get(name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
    return value;
  }

  private static String text(JsonNode node, String name) {
    JsonNode value = field(node, name);
    Checks.that(value.isTextual(), name, "be text", value);
    return value.asText();
  }

  private static int number(JsonNode node, String name) {
    long value = whole(field(node, name), name);
    Checks.that(value == (int) value, name, "be an int", value);
    return (int) value;
  }

  private static long whole(JsonNode value, String name) {
    Checks.that(
        value.isIntegralNumber() && value.canConvertToLong(), name, "be a whole number", value);
    return value.asLong();
  }
}
