package org.dl4jquant.precision;

import com.google.common.collect.ImmutableMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToLongFunction;
import org.dl4jquant.internal.Checks;

/**
 * The bit widths of every layer of a network: a default, and the layers that differ from it by
 * name; and, if it is to be computed in integers, by what and in which kind of numbers.
 *
 * <p>Immutable and thread-safe. Two plans are equal if they give every layer the same widths by the
 * same names, in whatever order, for the same target and scheme; their JSON keeps the order.
 */
public final class PrecisionPlan {
  private final LayerPrecision fallback;
  private final ImmutableMap<String, LayerPrecision> layers;
  private final Optional<Target> target;
  private final Optional<Scheme> scheme;

  private PrecisionPlan(
      LayerPrecision fallback,
      ImmutableMap<String, LayerPrecision> layers,
      Optional<Target> target,
      Optional<Scheme> scheme) {
    this.fallback = fallback;
    this.layers = layers;
    this.target = target;
    this.scheme = scheme;
  }

  /** Returns the plan that gives every layer the same widths. */
  public static PrecisionPlan uniform(LayerPrecision precision) {
    return new PrecisionPlan(precision, ImmutableMap.of(), Optional.empty(), Optional.empty());
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @param source what error messages call the text, such as a file name
   * @throws InvalidPlanException if it is not a plan of a known version, or a width is out of range
   */
  public static PrecisionPlan fromJson(String json, String source) {
    return PlanJson.read(json, source);
  }

  /** Returns this plan with other widths for one layer, which is appended if it is new. */
  public PrecisionPlan with(String layer, LayerPrecision precision) {
    Checks.that(!layer.isEmpty(), "layer", "not be empty", "''");
    Map<String, LayerPrecision> changed = new LinkedHashMap<>(layers);
    changed.put(layer, precision);
    return new PrecisionPlan(fallback, ImmutableMap.copyOf(changed), target, scheme);
  }

  /** Returns this plan for what is to compute the network. */
  public PrecisionPlan with(Target other) {
    return new PrecisionPlan(fallback, layers, Optional.of(other), scheme);
  }

  /** Returns this plan for a kind of numbers. */
  public PrecisionPlan with(Scheme other) {
    return new PrecisionPlan(fallback, layers, target, Optional.of(other));
  }

  /** Returns the kind of numbers; empty if the plan leaves that open. */
  public Optional<Scheme> scheme() {
    return scheme;
  }

  /** Returns what is to compute the network; empty if the plan leaves that open. */
  public Optional<Target> target() {
    return target;
  }

  /** Returns the widths of a layer: its own, or the default. */
  public LayerPrecision of(String layer) {
    return Objects.requireNonNull(layers.getOrDefault(layer, fallback));
  }

  /** Returns the widths of the layers that are not named. */
  public LayerPrecision fallback() {
    return fallback;
  }

  /** Returns the layers that are named, in the order in which they were. */
  public ImmutableMap<String, LayerPrecision> layers() {
    return layers;
  }

  /**
   * Returns the average width of a weight over the given layers.
   *
   * @param weightCounts the number of weights of each layer by name; 0 in all gives 0
   */
  public double averageWeightBits(Map<String, Long> weightCounts) {
    ToLongFunction<Map.Entry<String, Long>> bits =
        layer -> of(layer.getKey()).weightBits() * layer.getValue();
    long weights = weightCounts.values().stream().mapToLong(Long::longValue).sum();
    long total = weightCounts.entrySet().stream().mapToLong(bits).sum();
    return weights == 0 ? 0 : (double) total / weights;
  }

  /** Returns the plan as JSON: same plan, same bytes. */
  public String toJson() {
    return PlanJson.write(this);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PrecisionPlan that
        && fallback.equals(that.fallback)
        && layers.equals(that.layers)
        && target.equals(that.target)
        && scheme.equals(that.scheme);
  }

  @Override
  public int hashCode() {
    return Objects.hash(fallback, layers, target, scheme);
  }

  @Override
  public String toString() {
    return "PrecisionPlan[default=%s, layers=%s%s%s]"
        .formatted(
            fallback,
            layers,
            target.map(own -> ", target=" + own.word()).orElse(""),
            scheme.map(own -> ", scheme=" + own.word()).orElse(""));
  }
}
