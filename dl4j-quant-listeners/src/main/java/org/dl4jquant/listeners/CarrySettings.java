package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.ReadOut;
import org.dl4jquant.update.Saturation;
import org.dl4jquant.update.Tuning;
import org.dl4jquant.update.UpdateRule;

/**
 * What the builders of the limited-precision listeners collect.
 *
 * @param layers which layers, any of these; all if empty
 * @param biases whether biases are carried too
 * @param bitWidth for layers without an entry in {@code bitWidths}
 * @param bitWidths by layer pattern; the last that matches counts
 * @param fractionalLengths by layer pattern; the last that matches counts; chosen from the weights
 *     where none does
 * @param formats by parameter, such as {@code dense.W}; if there are any, nothing else is carried
 * @param headroomBits by how many powers of two the weights may grow where it is chosen
 */
record CarrySettings(
    ImmutableList<Predicate<String>> layers,
    boolean biases,
    int bitWidth,
    ImmutableMap<LayerPattern, Integer> bitWidths,
    ImmutableMap<LayerPattern, Integer> fractionalLengths,
    ImmutableMap<String, GivenFormats> formats,
    int headroomBits,
    int extraBits,
    int thresholdExponent,
    int period,
    ReadOut readOut,
    Saturation saturation,
    Tuning tuning,
    long seed) {
  CarrySettings {
    Checks.inRange("headroomBits", headroomBits, 0, 16);
    UpdateRule rule =
        new UpdateRule(
            FixedPointFormat.signed(bitWidth, 0),
            extraBits,
            thresholdExponent,
            period,
            readOut,
            saturation,
            tuning,
            seed);
    for (int width : bitWidths.values()) {
      rule.withWeightFormat(FixedPointFormat.signed(width, 0));
    }
    formats.values().forEach(given -> rule.withWeightFormat(given.common()));
  }

  /** Returns the rule of a tensor with this format. */
  UpdateRule ruleFor(FixedPointFormat format) {
    return new UpdateRule(
        format, extraBits, thresholdExponent, period, readOut, saturation, tuning, seed);
  }

  /** Returns whether the parameter is one to carry, frozen or not. */
  boolean selects(NetworkParameter parameter) {
    boolean wanted =
        formats.isEmpty()
            ? parameter.weight() || (biases && parameter.bias())
            : formats.containsKey(parameter.name());
    return wanted && selects(parameter.layer());
  }

  private boolean selects(String layer) {
    return layers.isEmpty() || layers.stream().anyMatch(selected -> selected.test(layer));
  }

  /** Returns the bits of a parameter's coarse weights. */
  int bitWidthOf(NetworkParameter parameter) {
    return given(parameter)
        .map(own -> own.common().bitWidth())
        .orElseGet(() -> last(bitWidths, parameter.layer()).orElse(bitWidth));
  }

  /** Returns the formats that a parameter was given. */
  Optional<GivenFormats> given(NetworkParameter parameter) {
    return Optional.ofNullable(formats.get(parameter.name()));
  }

  /** Returns the format of a parameter whose largest magnitude is {@code maxAbs}. */
  FixedPointFormat formatFor(NetworkParameter parameter, double maxAbs) {
    String layer = parameter.layer();
    if (given(parameter).isPresent()) {
      return given(parameter).get().common();
    }
    int width = bitWidthOf(parameter);
    OptionalInt given = last(fractionalLengths, layer);
    if (given.isPresent()) {
      return FixedPointFormat.signed(width, given.getAsInt());
    }
    double covered = maxAbs == 0 ? 1 : Math.scalb(maxAbs, headroomBits);
    return FixedPointFormat.covering(covered, width);
  }

  /** Throws unless every named pattern is the name of at least one layer. */
  void checkPatterns(Iterable<String> names) {
    for (Predicate<String> selected : layers) {
      if (selected instanceof LayerPattern pattern) {
        check(pattern, names);
      }
    }
    bitWidths.keySet().forEach(pattern -> check(pattern, names));
    fractionalLengths.keySet().forEach(pattern -> check(pattern, names));
  }

  /** Throws unless every parameter that was given formats is one of these. */
  void checkFormats(Set<String> parameters) {
    for (String name : formats.keySet()) {
      Checks.that(parameters.contains(name), "formats", "be of a parameter of the network", name);
    }
  }

  private static void check(LayerPattern pattern, Iterable<String> names) {
    for (String name : names) {
      if (pattern.test(name)) {
        return;
      }
    }
    throw Checks.violated("layers", "match a layer of " + names, pattern.text());
  }

  private static OptionalInt last(Map<LayerPattern, Integer> values, String layer) {
    OptionalInt found = OptionalInt.empty();
    for (Map.Entry<LayerPattern, Integer> entry : values.entrySet()) {
      if (entry.getKey().test(layer)) {
        found = OptionalInt.of(entry.getValue());
      }
    }
    return found;
  }
}
