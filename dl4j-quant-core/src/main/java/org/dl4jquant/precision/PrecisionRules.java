package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.dl4jquant.internal.Checks;

/**
 * A default precision and pins that override it, later ones winning. Immutable; each {@code with}
 * method returns a copy.
 */
public final class PrecisionRules {
  private record Rule(LayerSelector selector, UnaryOperator<LayerPrecision> change) {}

  private final LayerPrecision fallback;
  private final ImmutableList<Rule> rules;

  private PrecisionRules(LayerPrecision fallback, ImmutableList<Rule> rules) {
    this.fallback = fallback;
    this.rules = rules;
  }

  /** Returns the rules without pins. */
  public static PrecisionRules of(LayerPrecision fallback) {
    return new PrecisionRules(fallback, ImmutableList.of());
  }

  /** Returns the precision of layers without a pin. */
  public LayerPrecision fallback() {
    return fallback;
  }

  /** Gives layers another precision to start from and keeps the pins. */
  public PrecisionRules withFallback(LayerPrecision other) {
    return new PrecisionRules(other, rules);
  }

  /** Gives the selected layers exactly this precision. */
  public PrecisionRules withPrecision(LayerSelector selector, LayerPrecision precision) {
    return and(selector, before -> precision);
  }

  /** Gives the weights of the selected layers this width and leaves the rest. */
  public PrecisionRules withWeightBits(LayerSelector selector, int bits) {
    LayerPrecision unused = fallback.withWeightBits(bits); // checks the width now, not later
    return and(selector, before -> before.withWeightBits(unused.weightBits()));
  }

  /** Gives the output of the selected layers this width and leaves the rest. */
  public PrecisionRules withActivationBits(LayerSelector selector, int bits) {
    LayerPrecision unused = fallback.withActivationBits(bits);
    return and(selector, before -> before.withActivationBits(unused.activationBits()));
  }

  /** Keeps the selected layers as they are. */
  public PrecisionRules withFloat(LayerSelector selector) {
    return withPrecision(selector, LayerPrecision.FLOAT);
  }

  /**
   * Returns the plan of a network.
   *
   * @throws IllegalArgumentException if a rule selects none of the layers
   */
  public PrecisionPlan apply(List<LayerDescription> layers) {
    for (Rule rule : rules) {
      Checks.that(
          layers.stream().anyMatch(rule.selector()::selects),
          "selector " + rule.selector(),
          "select at least one of the layers "
              + layers.stream().map(LayerDescription::name).toList(),
          "none");
    }
    PrecisionPlan plan = PrecisionPlan.uniform(fallback);
    for (LayerDescription layer : layers) {
      LayerPrecision precision = fallback;
      for (Rule rule : rules) {
        if (rule.selector().selects(layer)) {
          precision = rule.change().apply(precision);
        }
      }
      plan = plan.with(layer.name(), precision);
    }
    return plan;
  }

  /** Returns whether any rule is for this layer, so that a search must leave it alone. */
  public boolean pins(LayerDescription layer) {
    return rules.stream().anyMatch(rule -> rule.selector().selects(layer));
  }

  private PrecisionRules and(LayerSelector selector, UnaryOperator<LayerPrecision> change) {
    return new PrecisionRules(
        fallback,
        ImmutableList.<Rule>builder().addAll(rules).add(new Rule(selector, change)).build());
  }
}
