package org.dl4jquant.precision;

import com.google.common.collect.ImmutableSet;
import java.util.List;
import org.dl4jquant.internal.Glob;

/** Plans that name layers by pattern or kind, as people write them. */
public final class PlanPatterns {
  private PlanPatterns() {}

  /**
   * Returns the plan with what each pattern selects in its place. A name that a layer has is never
   * a pattern. Names win over patterns, and later patterns over earlier ones.
   *
   * @param plan of names, globs, and kinds behind {@code type:}
   * @param layers all layers and vertices of the network
   * @throws IllegalArgumentException if a pattern selects none of them
   */
  public static PrecisionPlan resolve(PrecisionPlan plan, List<LayerDescription> layers) {
    ImmutableSet<String> names =
        layers.stream().map(LayerDescription::name).collect(ImmutableSet.toImmutableSet());
    List<String> patterns =
        plan.layers().keySet().stream()
            .filter(name -> !names.contains(name) && isPattern(name))
            .toList();
    if (patterns.isEmpty()) {
      return plan;
    }
    PrecisionPlan resolved = PrecisionPlan.uniform(plan.fallback());
    for (String pattern : patterns) {
      LayerSelector selector = LayerSelector.parse(pattern);
      selector.requireAny(layers, "a layer or vertex");
      for (LayerDescription layer : layers) {
        if (selector.selects(layer)) {
          resolved = resolved.with(layer.name(), plan.of(pattern));
        }
      }
    }
    for (String name : plan.layers().keySet()) {
      if (!patterns.contains(name)) {
        resolved = resolved.with(name, plan.of(name));
      }
    }
    return plan.target().map(resolved::with).orElse(resolved);
  }

  private static boolean isPattern(String name) {
    return Glob.isPattern(name) || LayerSelector.parse(name) instanceof LayerSelector.OfKind;
  }
}
