package org.dl4jquant;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.PlanPatterns;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.PrecisionRules;

/**
 * What rules and plans can name in a network.
 *
 * @param weighted the layers that have weights, in topological order
 * @param others what else has a value: layers without weights, inputs and vertices
 */
record NetworkLayers(
    ImmutableList<LayerDescription> weighted, ImmutableList<LayerDescription> others) {
  static NetworkLayers of(Dl4jNetwork network) {
    ImmutableList.Builder<LayerDescription> weighted = ImmutableList.builder();
    ImmutableList.Builder<LayerDescription> others = ImmutableList.builder();
    for (Dl4jLayer layer : network.layers()) {
      (layer.weightCount() > 0 ? weighted : others)
          .add(new LayerDescription(layer.name(), layer.kind(), layer.weightCount()));
    }
    network.vertices().forEach((name, kind) -> others.add(new LayerDescription(name, kind, 0)));
    return new NetworkLayers(weighted.build(), others.build());
  }

  PrecisionPlan plan(PrecisionRules rules) {
    return rules.apply(weighted, others);
  }

  /** Returns a plan with names in the place of patterns. */
  PrecisionPlan resolved(PrecisionPlan plan) {
    return PlanPatterns.resolve(
        plan, ImmutableList.<LayerDescription>builder().addAll(weighted).addAll(others).build());
  }
}
