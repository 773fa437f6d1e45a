package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.precision.SearchResult.StopReason;

/**
 * What a search has evaluated, the baseline first: each plan once, and none that the log has. A
 * metric that is NaN counts as an infinite loss.
 */
final class Trials {
  private final ImmutableMap<String, Long> weightCounts;
  private final MetricDirection direction;
  private final int maxEvaluations;
  private final Consumer<Trial> onTrial;
  private final double maxDrop;
  private final Optional<TrialLog> log;
  private final Map<PrecisionPlan, Trial> known = new HashMap<>();
  private final List<Trial> all = new ArrayList<>();
  private int evaluations;

  Trials(SearchBuilder<?> options, double maxDrop) {
    direction = options.direction();
    maxEvaluations = options.maxEvaluations();
    onTrial = options.onTrial();
    this.maxDrop = maxDrop;
    weightCounts =
        options.layers().stream()
            .collect(
                ImmutableMap.toImmutableMap(LayerDescription::name, LayerDescription::weightCount));
    log = options.log().map(TrialLog::open);
  }

  /** Returns the trial of a plan, which has so many layers at low precision. */
  Trial evaluate(int lowered, PrecisionPlan plan, ToDoubleFunction<PrecisionPlan> evaluator) {
    Trial before = known.get(plan);
    if (before != null) {
      return before;
    }
    double bits = averageBits(plan);
    OptionalDouble logged = log.map(l -> l.find(plan)).orElse(OptionalDouble.empty());
    double metric;
    if (logged.isPresent()) {
      metric = logged.getAsDouble();
    } else {
      metric = evaluator.applyAsDouble(plan);
      evaluations++;
      log.ifPresent(l -> l.append(plan, OptionalDouble.of(bits), metric));
    }
    double loss = loss(all.isEmpty() ? metric : baseline().metric(), metric);
    Trial trial = new Trial(lowered, plan, bits, metric, loss, logged.isPresent());
    known.put(plan, trial);
    all.add(trial);
    onTrial.accept(trial);
    return trial;
  }

  boolean knows(PrecisionPlan plan) {
    return known.containsKey(plan);
  }

  double loss(double baseline, double metric) {
    double loss = direction.loss(baseline, metric);
    return Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
  }

  boolean isWithin(Trial trial) {
    return isWithin(trial.loss(), baseline().metric());
  }

  /** Metrics are often rounded quotients: a loss of exactly the budget must not fail by that. */
  boolean isWithin(double loss, double baseline) {
    return loss < Double.POSITIVE_INFINITY && loss <= maxDrop + 2 * Math.ulp(baseline);
  }

  /** Returns why no more may be evaluated. */
  Optional<StopReason> mustStop() {
    if (Thread.currentThread().isInterrupted()) {
      return Optional.of(StopReason.INTERRUPTED);
    }
    return evaluations >= maxEvaluations
        ? Optional.of(StopReason.MAX_EVALUATIONS)
        : Optional.empty();
  }

  double averageBits(PrecisionPlan plan) {
    return plan.averageWeightBits(weightCounts);
  }

  Trial baseline() {
    return all.get(0);
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  SearchResult result(
      Trial best,
      ImmutableList<String> ranking,
      ImmutableMap<String, String> leftOut,
      StopReason reason) {
    return new SearchResult(
        best,
        baseline(),
        ranking,
        leftOut,
        ImmutableList.copyOf(all),
        maxDrop,
        evaluations,
        reason);
  }
}
