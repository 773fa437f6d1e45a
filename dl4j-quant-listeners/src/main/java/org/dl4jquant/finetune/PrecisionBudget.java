package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.AccuracyBudgetSearch;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.stats.WeightDifferences;

/**
 * What a plan may cost, from which, with what was recorded in training, the plan follows: layers go
 * to low precision in the order of method B, those that training moved least first. Pinned layers,
 * and heads whose classes ask for more bits, keep theirs. Immutable; thread-safe as far as a metric
 * is.
 */
public sealed interface PrecisionBudget {
  /** The low precision unless another is asked for, in bits of a weight. */
  int DEFAULT_LOW_BITS = 4;

  /** The fewest bits of a weight. */
  int LEAST_BITS = 2;

  /** Allows so many bits per weight on average: as few layers are lowered as that takes. */
  static PrecisionBudget averageBits(double bits) {
    return new AverageBits(bits, DEFAULT_LOW_BITS);
  }

  /** Allows so many bytes for the codes of all weights: as few layers are lowered as that takes. */
  static PrecisionBudget weightBytes(long bytes) {
    return new WeightBytes(bytes, DEFAULT_LOW_BITS);
  }

  /**
   * Allows a metric to fall by so much, without any fine-tuning: as many layers are lowered as that
   * allows, by {@link AccuracyBudgetSearch}.
   *
   * @param most not negative, in units of the metric
   * @param metric of a network that computes as the plan says, higher is better
   */
  static PrecisionBudget drop(double most, ToDoubleFunction<Model> metric) {
    return new Drop(most, metric, DEFAULT_LOW_BITS);
  }

  /** Returns this budget with another low precision, 2 to 16 bits. */
  PrecisionBudget withLowBits(int bits);

  /**
   * Returns the plan.
   *
   * @param search of the network that is to be quantized, see {@link Quantization#search}
   * @throws IllegalArgumentException if the plan with all layers lowered that may be exceeds the
   *     budget
   */
  PrecisionPlan plan(Quantization quantization, AccuracyBudgetSearch.Builder search);

  /** Returns the plan by what a listener recorded while the network was trained. */
  default PrecisionPlan plan(Quantization quantization, WeightDifferences recorded) {
    return plan(quantization, quantization.search(recorded));
  }

  /** Returns the plan by one number per layer; layers of low numbers are lowered first. */
  default PrecisionPlan plan(Quantization quantization, List<LayerStatistic> statistics) {
    return plan(quantization, quantization.search(statistics));
  }

  /**
   * So many bits per weight on average.
   *
   * @param bits positive
   * @param lowBits of the weights of a lowered layer, 2 to 16
   */
  record AverageBits(double bits, int lowBits) implements PrecisionBudget {
    public AverageBits {
      Checks.positiveFinite("bits", bits);
      Checks.inRange("lowBits", lowBits, LEAST_BITS, 16);
    }

    @Override
    public PrecisionBudget withLowBits(int other) {
      return new AverageBits(bits, other);
    }

    @Override
    public PrecisionPlan plan(Quantization quantization, AccuracyBudgetSearch.Builder search) {
      PrecisionPlan plan = search.lowBits(lowBits).build().plan(Math.max(LEAST_BITS, bits));
      double least = plan.averageWeightBits(counts(quantization));
      Checks.that(
          least <= bits,
          "bits",
          "be at least "
              + least
              + ", which "
              + lowBits
              + " bits in all layers that may be lowered leave",
          bits);
      return plan;
    }
  }

  /**
   * So many bytes for the codes of all weights.
   *
   * @param bytes positive
   * @param lowBits of the weights of a lowered layer, 2 to 16
   */
  record WeightBytes(long bytes, int lowBits) implements PrecisionBudget {
    public WeightBytes {
      Checks.that(bytes > 0, "bytes", "be positive", bytes);
      Checks.inRange("lowBits", lowBits, LEAST_BITS, 16);
    }

    @Override
    public PrecisionBudget withLowBits(int other) {
      return new WeightBytes(bytes, other);
    }

    @Override
    public PrecisionPlan plan(Quantization quantization, AccuracyBudgetSearch.Builder search) {
      long weights = counts(quantization).values().stream().mapToLong(Long::longValue).sum();
      Checks.that(weights > 0, "network", "have weights", "none");
      return new AverageBits((double) bytes * Byte.SIZE / weights, lowBits)
          .plan(quantization, search);
    }
  }

  /**
   * So much of a metric.
   *
   * @param most not negative
   * @param metric higher is better
   * @param lowBits of the weights of a lowered layer, 2 to 16
   */
  record Drop(double most, ToDoubleFunction<Model> metric, int lowBits) implements PrecisionBudget {
    public Drop {
      Checks.nonNegativeFinite("most", most);
      Checks.inRange("lowBits", lowBits, LEAST_BITS, 16);
    }

    @Override
    public PrecisionBudget withLowBits(int other) {
      return new Drop(most, metric, other);
    }

    @Override
    public PrecisionPlan plan(Quantization quantization, AccuracyBudgetSearch.Builder search) {
      return search
          .lowBits(lowBits)
          .maxDrop(most)
          .build()
          .run(quantization.evaluating(metric))
          .best()
          .plan();
    }
  }

  private static Map<String, Long> counts(Quantization quantization) {
    return quantization.layers().stream()
        .collect(
            ImmutableMap.toImmutableMap(LayerDescription::name, LayerDescription::weightCount));
  }
}
