package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.PrecisionPlan;

/**
 * Takes the layers of one network to low precision one by one, in any order, until the first plan
 * that loses more than the budget. Unlike binary search it passes no bad plan on its way, so orders
 * can be compared by how far they get.
 *
 * <p>Each set of layers is evaluated once, whatever the orders. Not thread-safe.
 */
final class BudgetWalk {
  /**
   * How far an order gets.
   *
   * @param layers the length of the longest prefix of which every prefix is within the budget
   * @param share the part of all weights that these layers have, 0 to 1
   */
  record Reach(double layers, double share) {}

  /** Keeps a loss of exactly the budget within it, although accuracies are rounded quotients. */
  private static final double ROUNDING = 1e-12;

  private final ImmutableList<LayerDescription> layers;
  private final PrecisionPlan first;
  private final int lowBits;
  private final double maxDrop;
  private final ToDoubleFunction<PrecisionPlan> accuracy;
  private final Map<PrecisionPlan, Double> known = new HashMap<>();

  /**
   * @param layers all layers that have weights
   * @param first the plan that loss is measured against
   * @param lowBits what a layer goes to, in bits of a weight
   * @param maxDrop the budget, as a part of all examples
   * @param accuracy of the network that a plan makes, higher is better
   */
  BudgetWalk(
      List<LayerDescription> layers,
      PrecisionPlan first,
      int lowBits,
      double maxDrop,
      ToDoubleFunction<PrecisionPlan> accuracy) {
    this.layers = ImmutableList.copyOf(layers);
    this.first = first;
    this.lowBits = lowBits;
    this.maxDrop = maxDrop;
    this.accuracy = accuracy;
  }

  /** Returns how far an order of layers gets; it need not name all. */
  Reach along(List<String> order) {
    double least = known(first) - maxDrop - ROUNDING;
    PrecisionPlan plan = first;
    int count = 0;
    for (String layer : order) {
      plan = plan.with(layer, plan.of(layer).withWeightBits(lowBits));
      if (!(known(plan) >= least)) {
        break;
      }
      count++;
    }
    return new Reach(count, share(order.subList(0, count)));
  }

  private double known(PrecisionPlan plan) {
    return known.computeIfAbsent(plan, accuracy::applyAsDouble);
  }

  private double share(List<String> low) {
    long all = layers.stream().mapToLong(LayerDescription::weightCount).sum();
    long taken =
        layers.stream()
            .filter(layer -> low.contains(layer.name()))
            .mapToLong(LayerDescription::weightCount)
            .sum();
    return all == 0 ? 0 : (double) taken / all;
  }
}
