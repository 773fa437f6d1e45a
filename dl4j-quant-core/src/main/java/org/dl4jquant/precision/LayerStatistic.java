package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import java.util.Map;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.DifferenceAggregate;
import org.dl4jquant.stats.Spearman;
import org.dl4jquant.stats.WeightDifferences;

/**
 * One number per layer that says how much the layer moved in training: method B's mean square
 * weight difference, or any other score of which low means "tolerates low precision".
 *
 * @param layer the layer's name
 * @param value not negative; NaN (a weight became NaN) counts as infinite, so that the layer is
 *     never chosen
 * @param frozen whether training left the layer alone on purpose, so that the value says nothing
 */
public record LayerStatistic(String layer, double value, boolean frozen) {
  public LayerStatistic {
    Checks.that(!(value < 0), "statistic of layer " + layer, "be NaN or not negative", value);
    value = Double.isNaN(value) ? Double.POSITIVE_INFINITY : value;
  }

  /** Returns the statistic of a layer that was trained. */
  public static LayerStatistic of(String layer, double value) {
    return new LayerStatistic(layer, value, false);
  }

  /**
   * Returns statistics that order layers as any score does, of which low means "tolerates low
   * precision": its ranks, as a score may be negative. Equal scores share a rank; NaN, and an
   * infinite score, mean a layer that is never chosen.
   *
   * @param scores by layer, in the order of the network
   */
  public static ImmutableList<LayerStatistic> ofScores(Map<String, Double> scores) {
    double[] ranks =
        Spearman.ranks(
            scores.values().stream()
                .mapToDouble(score -> Double.isNaN(score) ? Double.POSITIVE_INFINITY : score)
                .toArray());
    ImmutableList.Builder<LayerStatistic> statistics = ImmutableList.builder();
    int index = 0;
    for (Map.Entry<String, Double> own : scores.entrySet()) {
      double rank = ranks[index++];
      boolean known = own.getValue() < Double.POSITIVE_INFINITY;
      statistics.add(of(own.getKey(), known ? rank : Double.POSITIVE_INFINITY));
    }
    return statistics.build();
  }

  /** Returns the statistics that were recorded in training, in the order of the network. */
  public static ImmutableList<LayerStatistic> of(WeightDifferences differences) {
    return of(differences, DifferenceAggregate.MEAN_OVER_CYCLES);
  }

  /** Returns the statistics that were recorded in training, aggregated over its cycles. */
  public static ImmutableList<LayerStatistic> of(
      WeightDifferences differences, DifferenceAggregate aggregate) {
    ImmutableList.Builder<LayerStatistic> statistics = ImmutableList.builder();
    differences
        .statistics(aggregate)
        .forEach(
            (layer, value) ->
                statistics.add(
                    new LayerStatistic(layer, value, differences.layer(layer).frozen())));
    return statistics.build();
  }

  /**
   * Returns the statistic in units of the noise that quantization with the given step adds, {@code
   * step^2 / 12}: layers of different scale become comparable.
   *
   * @param step the real value of one step at the low precision
   */
  public LayerStatistic normalized(double step) {
    Checks.positiveFinite("step of layer " + layer, step);
    return new LayerStatistic(layer, value / (step * step / 12), frozen);
  }
}
