package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.examples.ScoreTable.Correlation;
import org.dl4jquant.stats.Spearman;

/**
 * What {@link ScoreStudy} measures of one trained network at one width: all lists are in the order
 * of {@code layers}.
 *
 * @param subject kind of network and data
 * @param seed of split, initial weights and batches
 * @param bits of a rounded layer
 * @param layers with weights
 * @param growth of the loss if the weights of one layer alone are rounded, in nats
 * @param divergence of what the network gives then from what it gave before: the mean of Kullback
 *     and Leibler's, in nats
 * @param scores by name
 */
record ScoreTrial(
    String subject,
    long seed,
    int bits,
    List<String> layers,
    List<Double> growth,
    List<Double> divergence,
    Map<String, List<Double>> scores) {
  ScoreTrial {
    layers = ImmutableList.copyOf(layers);
    growth = ImmutableList.copyOf(growth);
    divergence = ImmutableList.copyOf(divergence);
    scores = ImmutableMap.copyOf(scores);
  }

  boolean isOf(TrainingSubject other, long otherSeed, int otherBits) {
    return subject.equals(other.name()) && seed == otherSeed && bits == otherBits;
  }

  /**
   * Returns how well each score orders the layers.
   *
   * @param measured what it is compared with, by layer
   */
  ImmutableList<Correlation> correlations(List<Double> measured) {
    ImmutableList.Builder<Correlation> correlations = ImmutableList.builder();
    scores.forEach(
        (score, values) ->
            correlations.add(
                new Correlation(
                    subject,
                    layers.size(),
                    seed,
                    bits,
                    score,
                    Spearman.correlation(array(values), array(measured)))));
    return correlations.build();
  }

  private static double[] array(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
