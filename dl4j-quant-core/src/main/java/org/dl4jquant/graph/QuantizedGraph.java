package org.dl4jquant.graph;

import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;

/**
 * A network graph with integer weights and a format on the values that flow as integers.
 *
 * <p>A value is carried as {@link Carrier} says. Formats are given for the results of computations;
 * operations that only move codes take over their input's format. Immutable and thread-safe.
 */
public final class QuantizedGraph {
  /** How the value of a node is carried. */
  public enum Carrier {
    /** As integer codes with a format. */
    CODES,
    /**
     * As exact sums that no one else sees: the only consumer is an activation that clips, and the
     * sums are requantized once, to that activation's format.
     */
    SUMS,
    /** As floats. */
    FLOATS
  }

  private final NetworkGraph graph;
  private final ImmutableMap<String, QuantizedWeights> weights;
  private final ImmutableMap<String, ActivationFormat> formats;
  private final ImmutableMap<String, Carrier> carriers;
  private final Rounding rounding;

  private QuantizedGraph(Builder builder) {
    graph = builder.graph;
    weights = ImmutableMap.copyOf(builder.weights);
    rounding = builder.rounding;
    Map<String, ActivationFormat> all = new LinkedHashMap<>();
    Map<String, Carrier> kinds = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      try {
        format(node, builder.formats, all, kinds).ifPresent(f -> all.put(node.name(), f));
        kinds.put(node.name(), carrier(node, builder.formats, all, kinds));
        requireWeightsFit(node, kinds);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "%s '%s': %s".formatted(node.op().kind(), node.name(), e.getMessage()), e);
      }
    }
    formats = ImmutableMap.copyOf(all);
    carriers = ImmutableMap.copyOf(kinds);
  }

  /** Returns a builder for a quantized form of {@code graph}. */
  public static Builder builder(NetworkGraph graph) {
    return new Builder(graph);
  }

  private Optional<ActivationFormat> format(
      Node node,
      Map<String, ActivationFormat> given,
      Map<String, ActivationFormat> known,
      Map<String, Carrier> kinds) {
    Optional<ActivationFormat> own = Optional.ofNullable(given.get(node.name()));
    own.ifPresent(format -> format.requireFits(graph.shape(node.name())));
    if (!node.op().keepsCodes() || kinds.get(node.input()) != Carrier.CODES) {
      return own;
    }
    ActivationFormat input = known.get(node.input());
    if (input == null) {
      return own;
    }
    ActivationFormat kept =
        input.after(node.op(), graph.shape(node.input()), graph.channels(node.name()));
    own.ifPresent(
        format ->
            Checks.that(format.equals(kept), "format", "be that of the input, " + kept, format));
    return Optional.of(kept);
  }

  private Carrier carrier(
      Node node,
      Map<String, ActivationFormat> given,
      Map<String, ActivationFormat> known,
      Map<String, Carrier> kinds) {
    if (known.containsKey(node.name())) {
      return Carrier.CODES;
    }
    boolean sums =
        (weights.containsKey(node.name()) || node.op() instanceof Add)
            && node.inputs().stream().allMatch(input -> kinds.get(input) == Carrier.CODES);
    boolean clipped =
        graph
            .soleConsumer(node.name())
            .filter(next -> given.containsKey(next.name()))
            .filter(next -> next.op() instanceof Activation a && a.function().clips())
            .isPresent();
    return sums && clipped ? Carrier.SUMS : Carrier.FLOATS;
  }

  private void requireWeightsFit(Node node, Map<String, Carrier> kinds) {
    QuantizedWeights own = weights.get(node.name());
    if (own == null) {
      return;
    }
    if (!(node.op() instanceof Weighted op)) {
      throw Checks.violated("weights", "be given to a weighted operation", node.op().kind());
    }
    Checks.that(
        Arrays.equals(op.weight().shape(), own.weight().shape()),
        "weights",
        "have shape " + Arrays.toString(op.weight().shape()),
        Arrays.toString(own.weight().shape()));
    Checks.that(
        kinds.get(node.input()) == Carrier.CODES,
        "input '" + node.input() + "'",
        "have an activation format, because the weights are integers",
        "floats");
  }

  /** Returns the graph with its float parameters. */
  public NetworkGraph graph() {
    return graph;
  }

  /** Returns the integer parameters of a node, if it has them. */
  public Optional<QuantizedWeights> weights(String node) {
    return Optional.ofNullable(weights.get(graph.node(node).name()));
  }

  /** Returns the format of a node's value: given, or taken over from the input. */
  public Optional<ActivationFormat> format(String node) {
    return Optional.ofNullable(formats.get(graph.node(node).name()));
  }

  /**
   * Returns the levels that the codes of a node become once they are computed; empty if its value
   * is not logarithmic, or is made of the codes of levels alone.
   */
  public Optional<GridLevels> newLevels(String node) {
    Node own = graph.node(node);
    Optional<ActivationFormat> format = format(node);
    boolean moves = own.op().keepsCodes() || own.op() instanceof Concat;
    boolean kept = moves && own.inputs().stream().allMatch(in -> format(in).equals(format));
    return kept ? Optional.empty() : format.flatMap(ActivationFormat::gridLevels);
  }

  /** Returns how a node's value is carried. */
  public Carrier carrier(String node) {
    return carriers.getOrDefault(graph.node(node).name(), Carrier.FLOATS);
  }

  /** Returns how sums become codes. */
  public Rounding rounding() {
    return rounding;
  }

  /** Collects what the graph lacks. Not thread-safe. */
  public static final class Builder {
    private final NetworkGraph graph;
    private final Map<String, QuantizedWeights> weights = new LinkedHashMap<>();
    private final Map<String, ActivationFormat> formats = new LinkedHashMap<>();
    private Rounding rounding = Rounding.HALF_EVEN;

    private Builder(NetworkGraph graph) {
      this.graph = graph;
    }

    /** Sets the integer parameters of a node; its input must be carried as codes. */
    @CanIgnoreReturnValue
    public Builder weights(String node, QuantizedWeights parameters) {
      weights.put(graph.node(node).name(), parameters);
      return this;
    }

    /** Sets the format of a node's value. Unnecessary for operations that only move codes. */
    @CanIgnoreReturnValue
    public Builder format(String node, ActivationFormat format) {
      formats.put(graph.node(node).name(), format);
      return this;
    }

    /** Sets how sums become codes: {@link Rounding#HALF_EVEN} (the default) or HALF_UP. */
    @CanIgnoreReturnValue
    public Builder rounding(Rounding how) {
      Checks.that(
          how.equals(Rounding.HALF_EVEN) || how.equals(Rounding.HALF_UP),
          "rounding",
          "be HALF_EVEN or HALF_UP",
          how);
      rounding = how;
      return this;
    }

    /**
     * Returns the quantized graph.
     *
     * @throws IllegalArgumentException if formats or weights do not fit, with the node's name
     */
    public QuantizedGraph build() {
      return new QuantizedGraph(this);
    }
  }
}
