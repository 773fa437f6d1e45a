package org.dl4jquant.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.hash.Hashing;
import com.google.common.primitives.Ints;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.convert.Provenance;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.precision.InvalidPlanException;
import org.dl4jquant.precision.PrecisionPlan;

/**
 * The table of contents of an archive.
 *
 * @param graph whether the network is a ComputationGraph
 * @param plan which bit widths were asked for
 * @param provenance how the model was made
 * @param layers kind of each layer by name, in topological order, also those without parameters
 * @param parameters in the order of the layers
 * @param activations the formats of values by node; none in version 1. Only from version 3 on there
 *     are other schemes of weights than fixed point, affine formats from version 4 on, and
 *     logarithmic values from version 5 on
 * @param inputShapes of inputs of which the configuration does not tell them, by name
 * @param contents length and SHA-256 of every entry but the manifest and its hash
 */
record Manifest(
    boolean graph,
    PrecisionPlan plan,
    Provenance provenance,
    Map<String, String> layers,
    List<ParameterEntry> parameters,
    ImmutableMap<String, ActivationFormat> activations,
    ImmutableMap<String, Shape> inputShapes,
    Map<String, Content> contents) {
  static final String FORMAT = "dl4j-quant packed archive";
  static final int VERSION = 3;

  /** The version with affine formats; what has none is written for readers of versions before. */
  private static final int AFFINE_VERSION = 4;

  /** The version with logarithmic values, likewise. */
  private static final int LOGARITHMIC_VERSION = 5;

  private static final int OLDEST_VERSION = 1;

  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** Length and hash of an entry. */
  record Content(long length, String sha256) {
    static Content of(byte[] bytes) {
      return new Content(bytes.length, Hashing.sha256().hashBytes(bytes).toString());
    }
  }

  /** Returns the entry that guards the manifest itself. */
  static byte[] hash(byte[] manifest) {
    return Content.of(manifest).sha256().getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] write(
      QuantizedModel model, List<ParameterEntry> parameters, Map<String, byte[]> entries) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("format", FORMAT).put("version", version(model, parameters));
    root.put("network", model.graph() ? "ComputationGraph" : "MultiLayerNetwork");
    root.set("provenance", provenance(model.provenance()));
    ArrayNode layers = root.putArray("layers");
    for (QuantizedLayer layer : model.layers()) {
      layers.addObject().put("name", layer.name()).put("kind", layer.kind());
    }
    ArrayNode table = root.putArray("parameters");
    parameters.forEach(parameter -> table.add(write(parameter)));
    root.set("activations", ActivationEntries.write(MAPPER, model.activations()));
    if (!model.content().inputShapes().isEmpty()) {
      ObjectNode shapes = root.putObject("inputShapes");
      model
          .content()
          .inputShapes()
          .forEach((name, shape) -> shape.sizes().forEach(shapes.putArray(name)::add));
    }
    ObjectNode contents = root.putObject("entries");
    entries.forEach(
        (name, bytes) -> {
          Content content = Content.of(bytes);
          contents.putObject(name).put("length", content.length()).put("sha256", content.sha256());
        });
    try {
      root.set("plan", MAPPER.readTree(model.plan().toJson()));
      return MAPPER.writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a manifest is always JSON", e);
    }
  }

  private static int version(QuantizedModel model, List<ParameterEntry> parameters) {
    if (model.activations().values().stream().anyMatch(format -> format.levels().isPresent())) {
      return LOGARITHMIC_VERSION;
    }
    boolean affine =
        model.plan().scheme().isPresent()
            || parameters.stream()
                .flatMap(parameter -> parameter.coded().stream())
                .anyMatch(coding -> coding.scheme() == FormatBytes.Scheme.AFFINE);
    return affine ? AFFINE_VERSION : VERSION;
  }

  private static ObjectNode provenance(Provenance provenance) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("library", provenance.library())
        .put("deeplearning4j", provenance.deeplearning4j())
        .put("sourceSha256", provenance.sourceSha256())
        .put("weightStrategy", provenance.weightStrategy())
        .put("activationStrategy", provenance.activationStrategy())
        .put("calibrationExamples", provenance.calibrationExamples())
        .put("leftOutExamples", provenance.leftOutExamples());
    put(node, "folded", provenance.folded());
    put(node, "families", provenance.families());
    return node;
  }

  private static void put(ObjectNode node, String key, Map<String, String> texts) {
    if (!texts.isEmpty()) {
      ObjectNode own = node.putObject(key);
      texts.forEach(own::put);
    }
  }

  private static ImmutableMap<String, String> texts(JsonNode nodes) {
    ImmutableMap.Builder<String, String> texts = ImmutableMap.builder();
    nodes.fields().forEachRemaining(entry -> texts.put(entry.getKey(), entry.getValue().asText()));
    return texts.buildOrThrow();
  }

  private static ObjectNode write(ParameterEntry parameter) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("layer", parameter.layer())
        .put("key", parameter.key())
        .put("role", parameter.role().name());
    parameter.shape().forEach(node.putArray("shape")::add);
    node.put("content", parameter.content());
    if (parameter.coded().isPresent()) {
      ParameterEntry.Coding coding = parameter.coded().get();
      node.put("scheme", coding.scheme().label())
          .put("bitWidth", coding.bitWidth())
          .put("signed", coding.signed())
          .put("narrowRange", coding.narrowRange());
      if (coding.scheme() == FormatBytes.Scheme.CODEBOOK) {
        node.put("levels", coding.levels());
      }
      coding.axes().forEach(node.putArray("axes")::add);
      node.put("formats", coding.formats());
      if (Double.isFinite(parameter.sqnrDb())) {
        node.put("sqnrDb", parameter.sqnrDb());
      }
    } else {
      node.put("dataType", parameter.dataType()).put("floatReason", parameter.floatReason());
    }
    return node;
  }

  /** Reads a manifest; {@code where} names file and entry. */
  static Manifest read(byte[] json, String where) {
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (IOException e) {
      throw new InvalidArchiveException(where, "is not JSON", e);
    }
    if (!root.path("format").asText().equals(FORMAT)) {
      throw new InvalidArchiveException(
          where, "format must be '" + FORMAT + "', found " + root.path("format"));
    }
    int version = root.path("version").asInt();
    if (version < OLDEST_VERSION || version > LOGARITHMIC_VERSION) {
      throw new InvalidArchiveException(
          where,
          "version must be between %d and %d, found %s"
              .formatted(OLDEST_VERSION, LOGARITHMIC_VERSION, root.path("version")));
    }
    try {
      JsonNode from = root.required("provenance");
      return new Manifest(
          root.required("network").asText().equals("ComputationGraph"),
          PrecisionPlan.fromJson(root.required("plan").toString(), where),
          new Provenance(
              from.required("library").asText(),
              from.required("deeplearning4j").asText(),
              from.required("sourceSha256").asText(),
              from.required("weightStrategy").asText(),
              version == 1 ? "" : from.required("activationStrategy").asText(),
              from.path("calibrationExamples").asLong(),
              from.path("leftOutExamples").asLong(),
              texts(from.path("folded")),
              texts(from.path("families"))),
          layers(root.required("layers")),
          parameters(root.required("parameters")),
          version == 1 ? ImmutableMap.of() : ActivationEntries.read(root.required("activations")),
          inputShapes(root.path("inputShapes")),
          contents(root.required("entries")));
    } catch (InvalidPlanException e) {
      throw new InvalidArchiveException(where, "holds a plan that cannot be used", e);
    } catch (IllegalArgumentException e) {
      throw new InvalidArchiveException(where, "is incomplete or wrong: " + e.getMessage(), e);
    }
  }

  private static ImmutableMap<String, Shape> inputShapes(JsonNode nodes) {
    ImmutableMap.Builder<String, Shape> shapes = ImmutableMap.builder();
    nodes
        .fields()
        .forEachRemaining(
            entry ->
                shapes.put(entry.getKey(), Shape.of(Ints.toArray(integers(entry.getValue())))));
    return shapes.buildOrThrow();
  }

  private static Map<String, String> layers(JsonNode nodes) {
    Map<String, String> layers = new LinkedHashMap<>();
    for (JsonNode node : nodes) {
      String name = node.required("name").asText();
      if (layers.put(name, node.required("kind").asText()) != null) {
        throw new IllegalArgumentException("two layers are called " + name);
      }
    }
    return layers;
  }

  private static List<ParameterEntry> parameters(JsonNode nodes) {
    List<ParameterEntry> parameters = new ArrayList<>();
    nodes.forEach(node -> parameters.add(parameter(node)));
    return parameters;
  }

  private static ParameterEntry parameter(JsonNode node) {
    boolean coded = node.has("scheme");
    return new ParameterEntry(
        node.required("layer").asText(),
        node.required("key").asText(),
        ParameterRole.valueOf(node.required("role").asText()),
        integers(node.required("shape")),
        coded
            ? Optional.of(
                new ParameterEntry.Coding(
                    FormatBytes.Scheme.of(node.required("scheme").asText()),
                    node.required("bitWidth").asInt(),
                    node.required("signed").asBoolean(),
                    node.required("narrowRange").asBoolean(),
                    node.path("levels").asInt(),
                    integers(node.required("axes")),
                    node.required("formats").asText()))
            : Optional.empty(),
        coded ? "" : node.required("dataType").asText(),
        coded ? "" : node.required("floatReason").asText(),
        node.path("sqnrDb").asDouble(Double.POSITIVE_INFINITY),
        node.required("content").asText());
  }

  private static ImmutableList<Integer> integers(JsonNode nodes) {
    ImmutableList.Builder<Integer> integers = ImmutableList.builder();
    nodes.forEach(node -> integers.add(node.asInt()));
    return integers.build();
  }

  private static Map<String, Content> contents(JsonNode nodes) {
    Map<String, Content> contents = new LinkedHashMap<>();
    nodes
        .fields()
        .forEachRemaining(
            entry ->
                contents.put(
                    entry.getKey(),
                    new Content(
                        entry.getValue().required("length").asLong(),
                        entry.getValue().required("sha256").asText())));
    return contents;
  }
}
