package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Comparator;
import java.util.List;

/**
 * What a search has found; also an interrupted one has the best it saw.
 *
 * @param best the trial with the most layers at low precision, or the fewest bits, among those
 *     within the budget; the baseline if there is no other
 * @param baseline the first precision everywhere
 * @param ranking the layers in the order in which they were tried
 * @param leftOut the layers that were not tried although they have a statistic, with the reason
 * @param trials every plan that was evaluated, in order, the baseline first
 * @param maxDrop the budget; infinite if there is none
 * @param evaluations how often the evaluator was called, the baseline included
 * @param reason why the search ended
 */
public record SearchResult(
    Trial best,
    Trial baseline,
    ImmutableList<String> ranking,
    ImmutableMap<String, String> leftOut,
    ImmutableList<Trial> trials,
    double maxDrop,
    int evaluations,
    StopReason reason) {
  /** Why a search ended. */
  public enum StopReason {
    /** It knows the answer. */
    FINISHED,
    /** No plan that it may make is small enough. */
    OUT_OF_REACH,
    /** There is no layer to try. */
    NO_CANDIDATES,
    /** It has used up its evaluations. */
    MAX_EVALUATIONS,
    /** Its thread was interrupted. */
    INTERRUPTED
  }

  /** Returns the layers at low precision in the best plan. */
  public List<String> lowPrecisionLayers() {
    return ranking.subList(0, best.lowPrecisionLayers());
  }

  /**
   * Returns the trials that no other trial beats both in average bits and in loss, fewest bits
   * first.
   */
  public ImmutableList<Trial> paretoFront() {
    ImmutableList.Builder<Trial> front = ImmutableList.builder();
    double least = Double.POSITIVE_INFINITY;
    List<Trial> byBits =
        trials.stream()
            .sorted(
                Comparator.comparingDouble(Trial::averageWeightBits)
                    .thenComparingDouble(Trial::loss))
            .toList();
    for (Trial trial : byBits) {
      if (trial.loss() < least) {
        least = trial.loss();
        front.add(trial);
      }
    }
    return front.build();
  }
}
