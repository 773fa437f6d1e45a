package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.SearchResult.StopReason;

/**
 * Finds how many layers of a ranking can go to low precision within an accuracy budget
 * (US20240185029A1, claim 4): the largest k such that the plan with the first k layers at low
 * precision loses at most {@code maxDrop}, by binary search.
 *
 * <p>The evaluator is called once for the baseline and at most {@code ceil(log2(L + 1))} times for
 * L layers; each plan only once, and once more for each k that is walked down to. The answer is
 * always a plan that was itself evaluated and found within the budget, so it holds also where the
 * loss is not monotone in k; then a larger k may exist that binary search does not find. With
 * {@code confirmWith} the answer is evaluated again, for example on more data, and k walks down
 * until the second evaluator is satisfied too.
 *
 * <p>An evaluation that returns NaN counts as an infinite loss; one that exceeds the budget by no
 * more than the rounding of the metric is within it. Interruption of the thread, and the limit of
 * evaluations, end the search between two evaluations with the best that it has seen. Not
 * thread-safe.
 */
public final class AccuracyBudgetSearch {
  private final PrecisionPlan first;
  private final ImmutableList<String> ranking;
  private final ImmutableMap<String, String> leftOut;
  private final int lowBits;
  private final Optional<ToDoubleFunction<PrecisionPlan>> confirmation;
  private final Trials trials;

  private AccuracyBudgetSearch(Builder builder) {
    first = builder.first;
    lowBits = builder.lowBits;
    ranking = builder.candidates(lowBits);
    leftOut = builder.allLeftOut(lowBits);
    confirmation = builder.confirmation;
    trials = new Trials(builder, builder.maxDrop().orElse(SearchBuilder.DEFAULT_MAX_DROP));
  }

  /**
   * Starts to describe a search.
   *
   * @param layers all layers of the network
   * @param first the plan at the first precision, which is the baseline
   * @param ranking the layers to try, in this order; each must be one of {@code layers}
   */
  public static Builder over(
      List<LayerDescription> layers, PrecisionPlan first, List<String> ranking) {
    return new Builder(layers, first, ranking);
  }

  /**
   * Runs the search; once per instance.
   *
   * @param evaluator returns the metric of a network quantized by the plan, on data that was not
   *     used to train or calibrate
   */
  public SearchResult run(ToDoubleFunction<PrecisionPlan> evaluator) {
    Checks.state(trials.isEmpty(), "a search runs only once");
    Trial baseline = evaluate(0, evaluator);
    StopReason reason = ranking.isEmpty() ? StopReason.NO_CANDIDATES : StopReason.FINISHED;
    int low = 0;
    int high = ranking.size();
    while (low < high) {
      int middle = (low + high + 1) / 2;
      Optional<StopReason> stop = trials.mustStop();
      if (stop.isPresent()) {
        reason = stop.get();
        break;
      }
      if (trials.isWithin(evaluate(middle, evaluator))) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    Trial best = evaluate(low, evaluator);
    if (confirmation.isPresent()) {
      Optional<Trial> confirmed = confirmed(low, confirmation.get(), evaluator);
      reason = confirmed.isPresent() ? reason : trials.mustStop().orElse(reason);
      best = confirmed.orElse(baseline);
    }
    return trials.result(best, ranking, leftOut, reason);
  }

  /**
   * Returns what the ranking alone can tell, where there is nothing to measure with: the plan with
   * as few layers at low precision, first come first, as bring the mean number of bits of a weight
   * to at most {@code averageBits}; if all that may be lowered do not, the plan with all of them.
   * Nobody knows how accurate it is.
   *
   * @param averageBits over all layers of the network; at least 2
   */
  public PrecisionPlan plan(double averageBits) {
    Checks.that(averageBits >= 2, "averageBits", "be at least 2", averageBits);
    int lowered = 0;
    while (lowered < ranking.size() && trials.averageBits(plan(lowered)) > averageBits) {
      lowered++;
    }
    return plan(lowered);
  }

  /** Returns the best trial that both evaluators are satisfied with; empty if it had to stop. */
  private Optional<Trial> confirmed(
      int from, ToDoubleFunction<PrecisionPlan> second, ToDoubleFunction<PrecisionPlan> evaluator) {
    double baseline = second.applyAsDouble(first);
    for (int k = from; k > 0; k--) {
      if (k < from && Thread.currentThread().isInterrupted()) {
        return Optional.empty();
      }
      double loss = trials.loss(baseline, second.applyAsDouble(plan(k)));
      if (trials.isWithin(loss, baseline)) {
        if (!trials.knows(plan(k)) && trials.mustStop().isPresent()) {
          return Optional.empty();
        }
        Trial trial = evaluate(k, evaluator);
        if (trials.isWithin(trial)) {
          return Optional.of(trial);
        }
      }
    }
    return Optional.of(trials.baseline());
  }

  private Trial evaluate(int k, ToDoubleFunction<PrecisionPlan> evaluator) {
    return trials.evaluate(k, plan(k), evaluator);
  }

  private PrecisionPlan plan(int k) {
    PrecisionPlan plan = first;
    for (String layer : ranking.subList(0, k)) {
      plan = plan.with(layer, first.of(layer).withWeightBits(lowBits));
    }
    return plan;
  }

  /** Describes a search. */
  public static final class Builder extends SearchBuilder<Builder> {
    private static final int DEFAULT_LOW_BITS = 4;

    private final PrecisionPlan first;
    private int lowBits = DEFAULT_LOW_BITS;
    private Optional<ToDoubleFunction<PrecisionPlan>> confirmation = Optional.empty();

    private Builder(List<LayerDescription> layers, PrecisionPlan first, List<String> ranking) {
      super(layers, ranking);
      this.first = first;
    }

    /** The low precision, in bits of a weight; 2 to 16, default 4. */
    @CanIgnoreReturnValue
    public Builder lowBits(int bits) {
      Checks.inRange("lowBits", bits, 2, 16);
      lowBits = bits;
      return this;
    }

    /**
     * A second evaluator that the answer must satisfy too; its calls are not counted. If the search
     * is stopped while it walks down, the answer is the baseline.
     */
    @CanIgnoreReturnValue
    public Builder confirmWith(ToDoubleFunction<PrecisionPlan> evaluator) {
      confirmation = Optional.of(evaluator);
      return this;
    }

    /** Returns the search. */
    public AccuracyBudgetSearch build() {
      return new AccuracyBudgetSearch(this);
    }
  }
}
