package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A default precision and pins that override it, later ones winning. Immutable; each {@code with}
 * method returns a copy.
 */
public final class PrecisionRules {
  /**
   * One pin.
   *
   * @param ofWeights whether it concerns nothing but weights
   */
  private record Rule(
      LayerSelector selector, boolean ofWeights, UnaryOperator<LayerPrecision> change) {}

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
    return and(selector, false, before -> precision);
  }

  /** Gives the weights of the selected layers this width and leaves the rest. */
  public PrecisionRules withWeightBits(LayerSelector selector, int bits) {
    LayerPrecision unused = fallback.withWeightBits(bits); // checks the width now, not later
    return and(selector, true, before -> before.withWeightBits(unused.weightBits()));
  }

  /** Gives what the selected layers and vertices give this width and leaves the rest. */
  public PrecisionRules withActivationBits(LayerSelector selector, int bits) {
    LayerPrecision unused = fallback.withActivationBits(bits);
    return and(selector, false, before -> before.withActivationBits(unused.activationBits()));
  }

  /** Keeps the selected layers as they are, and computes the selected vertices in float. */
  public PrecisionRules withFloat(LayerSelector selector) {
    return withPrecision(selector, LayerPrecision.FLOAT);
  }

  /**
   * Returns the plan of a network.
   *
   * @throws IllegalArgumentException if a rule selects none of the layers
   */
  public PrecisionPlan apply(List<LayerDescription> layers) {
    return apply(layers, ImmutableList.of());
  }

  /**
   * Returns the plan of a network: it names every layer that has weights, and what a rule is for.
   *
   * @param layers that have weights
   * @param others layers without, vertices and inputs, for rules on what they give
   * @throws IllegalArgumentException if a rule selects none of them, or one for weights no layer
   *     that has any; the message says what is near
   */
  public PrecisionPlan apply(List<LayerDescription> layers, List<LayerDescription> others) {
    List<LayerDescription> all =
        ImmutableList.<LayerDescription>builder().addAll(layers).addAll(others).build();
    for (Rule rule : rules) {
      if (rule.ofWeights()) {
        rule.selector().requireAny(layers, "a layer with weights");
      } else {
        rule.selector().requireAny(all, "a layer or vertex");
      }
    }
    PrecisionPlan plan = PrecisionPlan.uniform(fallback);
    for (LayerDescription layer : layers) {
      plan = plan.with(layer.name(), precision(layer, false));
    }
    for (LayerDescription other : others) {
      if (rules.stream().anyMatch(rule -> !rule.ofWeights() && rule.selector().selects(other))) {
        plan = plan.with(other.name(), precision(other, true));
      }
    }
    return plan;
  }

  private LayerPrecision precision(LayerDescription layer, boolean withoutWeights) {
    LayerPrecision precision = fallback;
    for (Rule rule : rules) {
      if (rule.selector().selects(layer) && !(withoutWeights && rule.ofWeights())) {
        precision = rule.change().apply(precision);
      }
    }
    return precision;
  }

  /** Returns whether any rule is for this layer, so that a search must leave it alone. */
  public boolean pins(LayerDescription layer) {
    return rules.stream().anyMatch(rule -> rule.selector().selects(layer));
  }

  private PrecisionRules and(
      LayerSelector selector, boolean ofWeights, UnaryOperator<LayerPrecision> change) {
    Rule rule = new Rule(selector, ofWeights, change);
    return new PrecisionRules(
        fallback, ImmutableList.<Rule>builder().addAll(rules).add(rule).build());
  }
}
