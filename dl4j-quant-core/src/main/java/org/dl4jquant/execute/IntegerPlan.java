package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.internal.Checks;

/** The steps of every node, in order, and the widths of the sums that were proved on the way. */
final class IntegerPlan {
  /** A node and what computes it; nothing, if the node before it already has. */
  record Planned(Node node, ImmutableList<Step> steps) {}

  private final QuantizedGraph quantized;
  private final Map<String, Integer> accumulatorBits = new LinkedHashMap<>();
  private final ImmutableList<Planned> nodes;

  IntegerPlan(QuantizedGraph quantized) {
    this.quantized = quantized;
    ImmutableList.Builder<Planned> planned = ImmutableList.builder();
    for (Node node : quantized.graph().nodes()) {
      try {
        planned.add(new Planned(node, withLevels(node)));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "%s '%s': %s".formatted(node.op().kind(), node.name(), e.getMessage()), e);
      }
    }
    this.nodes = planned.build();
  }

  ImmutableList<Planned> nodes() {
    return nodes;
  }

  ImmutableMap<String, Integer> accumulatorBits() {
    return ImmutableMap.copyOf(accumulatorBits);
  }

  private ImmutableList<Step> withLevels(Node node) {
    ImmutableList.Builder<Step> all = ImmutableList.builder();
    all.addAll(steps(node));
    quantized
        .newLevels(node.name())
        .ifPresent(levels -> all.add(new LevelStep(node.name(), levels.table())));
    return all.build();
  }

  private List<Step> steps(Node node) {
    boolean codes = quantized.carrier(node.name()) == Carrier.CODES;
    if (node.inputs().stream().anyMatch(i -> quantized.carrier(i) == Carrier.SUMS)) {
      return List.of();
    }
    boolean fromCodes =
        !(node.op() instanceof Input)
            && node.inputs().stream().allMatch(i -> quantized.carrier(i) == Carrier.CODES);
    if (fromCodes) {
      List<Step> integer = node.op().accept(new IntegerSteps(this, node));
      if (!integer.isEmpty()) {
        return integer;
      }
    }
    List<Step> steps = new ArrayList<>();
    for (String input : node.inputs()) {
      if (quantized.carrier(input) == Carrier.CODES) {
        steps.add(new DequantizeStep(input, format(input)));
      }
    }
    if (!(node.op() instanceof Input)) {
      steps.add(new FloatStep(node));
    }
    if (codes) {
      steps.add(new QuantizeStep(node.name(), format(node.name()), quantized.rounding()));
    }
    return steps;
  }

  QuantizedGraph quantized() {
    return quantized;
  }

  /** Returns the format of a node's codes; affine ones are one for the whole value. */
  ActivationFormat format(String node) {
    ActivationFormat format = given(node);
    Checks.that(
        format.perTensor()
            || format.formats().stream().noneMatch(AffineParameters.class::isInstance),
        "format of '" + node + "'",
        "be one for the whole value if it is affine",
        format.granularity());
    return format;
  }

  private ActivationFormat given(String node) {
    return quantized
        .format(node)
        .orElseThrow(() -> Checks.violated("format", "be given", "none for '" + node + "'"));
  }

  /** Returns the formats of a node's channels. */
  ImmutableList<UniformFormat> formats(String node) {
    int channels = quantized.graph().shape(node).channels();
    return formats(node, channels);
  }

  ImmutableList<UniformFormat> formats(String node, int channels) {
    Checks.that(channels >= 1, "channels of '" + node + "'", "be known", channels);
    return format(node).ofChannels(channels).stream()
        .map(UniformFormat::of)
        .collect(toImmutableList());
  }

  /** Returns where the sums of a node go, and notes their width. */
  SumSink sink(Node node, AccumulatorFormat sums, int bits) {
    accumulatorBits.put(node.name(), bits);
    return switch (quantized.carrier(node.name())) {
      case CODES -> IntegerSteps.codes(this, node.name(), sums, bits);
      case SUMS -> {
        Node next = quantized.graph().consumers(node.name()).get(0);
        yield IntegerSteps.clipped(this, next, sums, bits);
      }
      case FLOATS -> new SumSink.Floats(node.name(), scales(sums));
    };
  }

  private static double[] scales(AccumulatorFormat sums) {
    double[] scales = new double[sums.channels()];
    for (int c = 0; c < scales.length; c++) {
      scales[c] = sums.scale(c);
    }
    return scales;
  }
}
