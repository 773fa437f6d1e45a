package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Map;
import java.util.OptionalInt;
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
 * @param headroomBits by how many powers of two the weights may grow where it is chosen
 */
record CarrySettings(
    ImmutableList<Predicate<String>> layers,
    boolean biases,
    int bitWidth,
    ImmutableMap<LayerPattern, Integer> bitWidths,
    ImmutableMap<LayerPattern, Integer> fractionalLengths,
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
  }

  /** Returns the rule of a tensor with this format. */
  UpdateRule ruleFor(FixedPointFormat format) {
    return new UpdateRule(
        format, extraBits, thresholdExponent, period, readOut, saturation, tuning, seed);
  }

  /** Returns whether the parameter is one to carry, frozen or not. */
  boolean selects(NetworkParameter parameter) {
    return (parameter.weight() || (biases && parameter.bias())) && selects(parameter.layer());
  }

  private boolean selects(String layer) {
    return layers.isEmpty() || layers.stream().anyMatch(selected -> selected.test(layer));
  }

  /** Returns the bits of a layer's coarse weights. */
  int bitWidthOf(String layer) {
    return last(bitWidths, layer).orElse(bitWidth);
  }

  /** Returns the format of a layer's parameter whose largest magnitude is {@code maxAbs}. */
  FixedPointFormat formatFor(String layer, double maxAbs) {
    int width = bitWidthOf(layer);
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
