package org.dl4jquant.export;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.Map;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;

/**
 * The formats of values as the manifest has them: {@code {"name": {"bitWidth": 8, "signed": false,
 * "axes": [], "fractionalLengths": [5]}}}; an axis for one format per channel of it.
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
          ArrayNode lengths = entry.putArray("fractionalLengths");
          format.formats().forEach(one -> lengths.add(fractionalLength(one)));
        });
    return entries;
  }

  private static int fractionalLength(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint && !fixedPoint.narrowRange()) {
      return fixedPoint.fractionalLength();
    }
    throw Checks.violated("format", "be fixed point with all codes in use to be archived", format);
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
    ImmutableList.Builder<NumberFormat> formats = ImmutableList.builder();
    for (JsonNode length : node.required("fractionalLengths")) {
      formats.add(
          new FixedPointFormat(
              node.required("bitWidth").asInt(),
              length.asInt(),
              node.required("signed").asBoolean(),
              false));
    }
    int[] axes =
        Ints.toArray(
            ImmutableList.copyOf(node.required("axes")).stream().map(JsonNode::asInt).toList());
    return new ActivationFormat(
        axes.length == 0 ? Granularity.perTensor() : Granularity.perChannel(axes), formats.build());
  }
}
