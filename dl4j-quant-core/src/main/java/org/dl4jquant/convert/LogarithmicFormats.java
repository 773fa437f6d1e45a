package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.LogHistogram;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.WeightedEntropyActivations;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the logarithmic formats of values; those that a concatenation joins have one together.
 */
final class LogarithmicFormats {
  private final NetworkGraph graph;
  private final int gridBits;
  private final Function<String, Optional<LogBins>> seen;
  private final Map<String, Set<String>> joined = new LinkedHashMap<>();

  LogarithmicFormats(NetworkGraph graph, int gridBits, Function<String, Optional<LogBins>> seen) {
    this.graph = graph;
    this.gridBits = gridBits;
    this.seen = seen;
  }

  /**
   * What was chosen.
   *
   * @param formats by node
   * @param remark for the account of how formats were chosen: says why values that might be
   *     logarithmic are not
   */
  record Choice(ImmutableMap<String, ActivationFormat> formats, String remark) {
    static final Choice NONE = new Choice(ImmutableMap.of(), "");

    /** Returns uniform formats with these in the place of some. */
    ImmutableMap<String, ActivationFormat> over(Map<String, ActivationFormat> uniform) {
      Map<String, ActivationFormat> all = new LinkedHashMap<>(uniform);
      all.putAll(formats);
      return ImmutableMap.copyOf(all);
    }

    /** Returns what is said of values by node, but for those with a format of these. */
    ImmutableMap<String, String> without(Map<String, String> said) {
      return ImmutableMap.copyOf(Maps.filterKeys(said, name -> !formats.containsKey(name)));
    }
  }

  /**
   * Chooses as conversion is asked to.
   *
   * @param choices of the codes of all values
   * @throws IllegalArgumentException if calibration has not counted logarithms
   */
  static Choice choose(
      Conversion settings,
      NetworkGraph graph,
      Observations seen,
      Map<String, CodePlan.Choice> choices) {
    if (settings.logarithmic().isEmpty()) {
      return Choice.NONE;
    }
    Map<String, Integer> bits = new LinkedHashMap<>();
    choices.forEach(
        (name, choice) -> {
          if (!choice.outside()) {
            bits.put(name, choice.bits());
          }
        });
    int gridBits = settings.logarithmic().get().gridBits();
    return new LogarithmicFormats(graph, gridBits, seen.logarithms()).choose(bits);
  }

  /** Returns whether what a node gives may be logarithmic. */
  static boolean takes(Node node) {
    return Activation.rectifies(node.op());
  }

  /**
   * Chooses.
   *
   * @param bits of the codes of each value, by node, also of those that cannot be logarithmic
   * @throws IllegalArgumentException if nothing was seen of one that can
   */
  private Choice choose(Map<String, Integer> bits) {
    for (Node node : graph.nodes()) {
      if (bits.containsKey(node.name())) {
        join(node, bits);
      }
    }
    ImmutableMap.Builder<String, ActivationFormat> formats = ImmutableMap.builder();
    StringBuilder remark =
        new StringBuilder("; logarithmic after a ReLU on grids of " + gridBits + " bits");
    for (Set<String> group : new LinkedHashSet<>(joined.values())) {
      int own = Objects.requireNonNull(bits.get(group.iterator().next()));
      LogBins bins = bins(group);
      Optional<ActivationFormat> format = format(bins, own);
      for (String name : group) {
        format.ifPresentOrElse(
            found -> formats.put(name, found),
            () -> remark.append(", but not '%s': %s".formatted(name, reason(bins, own))));
      }
    }
    return new Choice(formats.buildOrThrow(), remark.toString());
  }

  /**
   * Returns the formats of a model with levels searched again in what was seen; a value keeps its
   * own where nothing was seen of it or of one that shares its levels, or none fit.
   */
  static ImmutableMap<String, ActivationFormat> again(
      QuantizedModel model, Map<String, LogBins> seen) {
    Map<String, Integer> bits = new LinkedHashMap<>();
    int gridBits = 0;
    for (Map.Entry<String, ActivationFormat> entry : model.activations().entrySet()) {
      if (entry.getValue().levels().isPresent()) {
        bits.put(entry.getKey(), entry.getValue().storedBits());
        gridBits = entry.getValue().bitWidth();
      }
    }
    if (bits.isEmpty()) {
      return model.activations();
    }
    NetworkGraph graph = GraphReader.read(model.plainNetwork()).graph();
    LogBins nothing = LogHistogram.create().snapshot();
    LogarithmicFormats search =
        new LogarithmicFormats(
            graph, gridBits, name -> Optional.of(seen.getOrDefault(name, nothing)));
    Map<String, ActivationFormat> formats = new LinkedHashMap<>(model.activations());
    search
        .choose(bits)
        .formats()
        .forEach(
            (name, format) -> {
              if (search.allSeen(name, seen)) {
                formats.put(name, format);
              }
            });
    return ImmutableMap.copyOf(formats);
  }

  private boolean allSeen(String name, Map<String, LogBins> seen) {
    return Objects.requireNonNull(joined.get(name)).stream()
        .allMatch(own -> !takes(graph.node(own)) || seen.containsKey(own));
  }

  private void join(Node node, Map<String, Integer> bits) {
    Set<String> own = new LinkedHashSet<>();
    if (node.op() instanceof Concat) {
      for (String input : node.inputs()) {
        String origin = origin(input);
        @Nullable Set<String> group = joined.get(origin);
        if (group == null || !Objects.equals(bits.get(origin), bits.get(node.name()))) {
          return;
        }
        own.addAll(group);
      }
    } else if (!takes(node)) {
      return;
    }
    own.add(node.name());
    own.forEach(name -> joined.put(name, own));
  }

  /** Returns the node whose codes a value has. */
  private String origin(String name) {
    Node node = graph.node(name);
    return node.op().keepsCodes() ? origin(node.input()) : name;
  }

  private LogBins bins(Set<String> group) {
    return group.stream()
        .filter(name -> takes(graph.node(name)))
        .map(
            name ->
                seen.apply(name)
                    .orElseThrow(
                        () ->
                            Checks.violated(
                                "calibration",
                                "have seen the logarithms of values: ask for them before it",
                                "none of '" + name + "'")))
        .reduce(LogBins::plus)
        .orElseThrow();
  }

  private Optional<ActivationFormat> format(LogBins bins, int bits) {
    return new WeightedEntropyActivations(1 << bits)
        .choose(bins)
        .filter(this::hasGrid)
        .map(levels -> ActivationFormat.logarithmic(GridLevels.of(levels, gridBits)));
  }

  /** Grids have the limits that all formats of values have. */
  private boolean hasGrid(LogFormat levels) {
    int length = gridBits - 1 - Math.getExponent(levels.maxValue());
    return length <= FormatStrategy.MAX_FRACTIONAL_LENGTH
        && length > FormatStrategy.MIN_FRACTIONAL_LENGTH;
  }

  private static String reason(LogBins bins, int bits) {
    return bins.positive() == 0
        ? "no positive values"
        : "too few octaves for %d levels".formatted(1 << bits);
  }
}
