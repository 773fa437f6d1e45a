package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.internal.Checks;

/**
 * What low precision of one layer alone costs, and the plan that gives it to the layers where each
 * bit saved costs least. Immutable and thread-safe.
 *
 * @param layers that may be lowered, with their weights
 * @param start the plan that was measured against
 * @param lowBits of a lowered layer's weights
 * @param startLoss of the plan
 * @param losses of the plan with one layer lowered, by the layer
 */
public record SensitivitySearch(
    ImmutableList<LayerDescription> layers,
    PrecisionPlan start,
    int lowBits,
    double startLoss,
    ImmutableMap<String, Double> losses) {
  public SensitivitySearch {
    Checks.inRange("lowBits", lowBits, 2, 16);
    for (LayerDescription layer : layers) {
      Checks.that(
          losses.containsKey(layer.name()), "losses", "be known of every layer", layer.name());
    }
  }

  /**
   * Measures one layer after the other, and the plan itself: as many evaluations as there are
   * layers, and one. A layer that has no more bits than {@code lowBits} is not measured.
   *
   * @param loss of a plan, smaller is better; a loss that is not a number counts as infinite
   */
  public static SensitivitySearch measure(
      List<LayerDescription> layers,
      PrecisionPlan start,
      int lowBits,
      ToDoubleFunction<PrecisionPlan> loss) {
    ImmutableMap.Builder<String, Double> losses = ImmutableMap.builder();
    ImmutableList.Builder<LayerDescription> wide = ImmutableList.builder();
    for (LayerDescription layer : layers) {
      if (start.of(layer.name()).weightBits() > lowBits) {
        wide.add(layer);
        losses.put(layer.name(), number(loss.applyAsDouble(lowered(start, layer, lowBits))));
      }
    }
    double unchanged = number(loss.applyAsDouble(start));
    return new SensitivitySearch(wide.build(), start, lowBits, unchanged, losses.buildOrThrow());
  }

  private static double number(double loss) {
    return Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
  }

  private static PrecisionPlan lowered(PrecisionPlan plan, LayerDescription layer, int bits) {
    return plan.with(layer.name(), plan.of(layer.name()).withWeightBits(bits));
  }

  /** Returns by how much the loss grows if a layer alone is lowered; negative if it falls. */
  public double increase(String layer) {
    Double known = losses.get(layer);
    Checks.that(known != null, "layer", "be one of " + losses.keySet(), layer);
    return (known == null ? 0 : known) - startLoss;
  }

  /**
   * Returns the layers in the order in which they are lowered: least growth per bit saved first.
   */
  public ImmutableList<LayerDescription> order() {
    return ImmutableList.sortedCopyOf(Comparator.comparingDouble(this::price), layers);
  }

  private double price(LayerDescription layer) {
    int saved = start.of(layer.name()).weightBits() - lowBits;
    return increase(layer.name()) / ((double) layer.weightCount() * saved);
  }

  /**
   * Returns the plan in which layers are lowered in {@link #order} until the mean number of bits of
   * a weight is at most {@code averageBits}, or all are.
   *
   * @param weightCounts of all layers of the network, also of those that may not be lowered
   */
  public PrecisionPlan plan(double averageBits, Map<String, Long> weightCounts) {
    PrecisionPlan plan = start;
    for (LayerDescription layer : order()) {
      if (plan.averageWeightBits(weightCounts) <= averageBits) {
        break;
      }
      plan = lowered(plan, layer, lowBits);
    }
    return plan;
  }
}
