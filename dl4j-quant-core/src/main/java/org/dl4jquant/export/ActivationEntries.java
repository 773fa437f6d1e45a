package org.dl4jquant.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;

/**
 * The formats of values as the manifest has them: {@code {"name": {"bitWidth": 8, "signed": false,
 * "axes": [], "fractionalLengths": [5]}}}; an axis for one format per channel of it; {@code
 * "scales": [0.1], "zeroPoints": [128]} in place of fractional lengths if they are affine; {@code
 * "logarithmic": {"levels": 16, "offset": -30, "halfStep": 2}} besides if only those levels of a
 * fixed-point grid occur.
 */
final class ActivationEntries {
  private ActivationEntries() {}

  static ObjectNode write(ObjectMapper mapper, Map<String, ActivationFormat> formats) {
    ObjectNode entries = mapper.createObjectNode();
    formats.forEach(
        (name, format) -> {
          ObjectNode entry = entries.putObject(name);
          entry.put("bitWidth", format.bitWidth()).put("signed", format.formats().get(0).signed());
          ArrayNode axes = entry.putArray("axes");
          if (format.granularity() instanceof Granularity.PerChannel channels) {
            channels.axes().forEach(axes::add);
          }
          if (format.formats().stream().allMatch(AffineParameters.class::isInstance)) {
            ArrayNode scales = entry.putArray("scales");
            ArrayNode zeroPoints = entry.putArray("zeroPoints");
            for (NumberFormat one : format.formats()) {
              scales.add(((AffineParameters) one).scale());
              zeroPoints.add(((AffineParameters) one).zeroPoint());
            }
          } else {
            ArrayNode lengths = entry.putArray("fractionalLengths");
            format.formats().forEach(one -> lengths.add(fractionalLength(one)));
          }
          format
              .levels()
              .ifPresent(
                  log ->
                      entry
                          .putObject("logarithmic")
                          .put("levels", log.levels())
                          .put("offset", log.offset())
                          .put("halfStep", log.halfStep()));
        });
    return entries;
  }

  private static int fractionalLength(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint && !fixedPoint.narrowRange()) {
      return fixedPoint.fractionalLength();
    }
    throw Checks.violated(
        "format", "be affine, or fixed point with all codes in use, to be archived", format);
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IllegalArgumentException if a format is incomplete or out of range
   */
  static ImmutableMap<String, ActivationFormat> read(JsonNode entries) {
    ImmutableMap.Builder<String, ActivationFormat> formats = ImmutableMap.builder();
    entries.fields().forEachRemaining(entry -> formats.put(entry.getKey(), read(entry)));
    return formats.buildOrThrow();
  }

  private static ActivationFormat read(Map.Entry<String, JsonNode> entry) {
    JsonNode node = entry.getValue();
    int bitWidth = node.required("bitWidth").asInt();
    boolean signed = node.required("signed").asBoolean();
    ImmutableList.Builder<NumberFormat> formats = ImmutableList.builder();
    if (node.has("scales")) {
      JsonNode zeroPoints = node.required("zeroPoints");
      Checks.that(
          zeroPoints.size() == node.path("scales").size(),
          "zeroPoints",
          "be as many as scales",
          zeroPoints.size());
      for (int i = 0; i < zeroPoints.size(); i++) {
        float scale = (float) node.path("scales").path(i).asDouble();
        formats.add(new AffineParameters(bitWidth, scale, zeroPoints.path(i).asLong(), signed));
      }
    } else {
      for (JsonNode length : node.required("fractionalLengths")) {
        formats.add(new FixedPointFormat(bitWidth, length.asInt(), signed, false));
      }
    }
    int[] axes =
        Ints.toArray(
            ImmutableList.copyOf(node.required("axes")).stream().map(JsonNode::asInt).toList());
    return new ActivationFormat(
        axes.length == 0 ? Granularity.perTensor() : Granularity.perChannel(axes),
        formats.build(),
        logarithmic(node.path("logarithmic")));
  }

  private static Optional<LogFormat> logarithmic(JsonNode node) {
    return node.isMissingNode()
        ? Optional.empty()
        : Optional.of(
            new LogFormat(
                node.required("levels").asInt(),
                node.required("offset").asInt(),
                node.required("halfStep").asInt()));
  }
}
