package org.dl4jquant.report;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.graph.ActivationFormat;
import org.jspecify.annotations.Nullable;

/**
 * The widths of what a model computes in integers.
 *
 * @param values the format of each value that has one of its own, by node
 * @param sums the widest sum of each layer or vertex
 */
record Integers(ImmutableMap<String, ActivationFormat> values, ImmutableMap<String, Integer> sums) {
  /** The suffix of the node of what a layer sums, before its activation function. */
  static final String PREACTIVATION = "/preactivation";

  static Integers of(QuantizedModel model) {
    return new Integers(model.activations(), model.accumulatorBits());
  }

  OptionalInt valueBits(String layer) {
    @Nullable ActivationFormat format = value(layer);
    return format == null ? OptionalInt.empty() : OptionalInt.of(format.storedBits());
  }

  /** Returns the fractional lengths of the channels of a layer's value. */
  IntStream valueLengths(String layer) {
    @Nullable ActivationFormat format = value(layer);
    return format == null
        ? IntStream.empty()
        : format.formats().stream()
            .filter(FixedPointFormat.class::isInstance)
            .mapToInt(each -> ((FixedPointFormat) each).fractionalLength());
  }

  /** Returns the levels of a layer's value on their grid, if it is logarithmic. */
  Optional<GridLevels> valueLevels(String layer) {
    @Nullable ActivationFormat format = value(layer);
    return format == null ? Optional.empty() : format.gridLevels();
  }

  /** Returns scale and zero point of a layer's value, if it is affine. */
  Optional<AffineParameters> valueAffine(String layer) {
    @Nullable ActivationFormat format = value(layer);
    return format != null && format.formats().get(0) instanceof AffineParameters affine
        ? Optional.of(affine)
        : Optional.empty();
  }

  private @Nullable ActivationFormat value(String layer) {
    @Nullable ActivationFormat own = values.get(layer);
    return own == null ? values.get(layer + PREACTIVATION) : own;
  }

  OptionalInt accumulatorBits(String layer) {
    @Nullable Integer bits = sums.get(layer);
    return bits == null ? OptionalInt.empty() : OptionalInt.of(bits);
  }

  /** Returns the sums of those that are no layers. */
  ImmutableMap<String, Integer> besides(Iterable<QuantizedLayer> layers) {
    ImmutableSet.Builder<String> names = ImmutableSet.builder();
    layers.forEach(layer -> names.add(layer.name()));
    ImmutableSet<String> known = names.build();
    ImmutableMap.Builder<String, Integer> others = ImmutableMap.builder();
    sums.forEach(
        (name, bits) -> {
          if (!known.contains(name)) {
            others.put(name, bits);
          }
        });
    return others.buildOrThrow();
  }
}
