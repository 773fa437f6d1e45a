package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
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
  private final ImmutableList<LayerDescription> layers;
  private final ImmutableMap<String, Long> weightCounts;
  private final PrecisionPlan first;
  private final ImmutableList<String> ranking;
  private final ImmutableMap<String, String> leftOut;
  private final int lowBits;
  private final double maxDrop;
  private final MetricDirection direction;
  private final int maxEvaluations;
  private final Consumer<Trial> onTrial;
  private final Optional<TrialLog> log;
  private final Optional<ToDoubleFunction<PrecisionPlan>> confirmation;

  private final Map<Integer, Trial> known = new HashMap<>();
  private final List<Trial> trials = new ArrayList<>();
  private int evaluations;

  private AccuracyBudgetSearch(Builder builder) {
    layers = builder.layers;
    weightCounts =
        layers.stream()
            .collect(
                ImmutableMap.toImmutableMap(LayerDescription::name, LayerDescription::weightCount));
    first = builder.first;
    lowBits = builder.lowBits;
    ranking =
        builder.ranking.stream().filter(builder::mayBeLow).collect(ImmutableList.toImmutableList());
    leftOut = builder.allLeftOut();
    maxDrop = builder.maxDrop;
    direction = builder.direction;
    maxEvaluations = builder.maxEvaluations;
    onTrial = builder.onTrial;
    log = builder.log.map(TrialLog::open);
    confirmation = builder.confirmation;
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
      Optional<StopReason> stop = mustStop();
      if (stop.isPresent()) {
        reason = stop.get();
        break;
      }
      if (isWithin(evaluate(middle, evaluator).loss(), baseline.metric())) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    Trial best = trialOf(low);
    if (confirmation.isPresent()) {
      Optional<Trial> confirmed = confirmed(low, confirmation.get(), evaluator);
      reason = confirmed.isPresent() ? reason : mustStop().orElse(reason);
      best = confirmed.orElse(baseline);
    }
    return new SearchResult(
        best,
        baseline,
        ranking,
        leftOut,
        ImmutableList.copyOf(trials),
        maxDrop,
        evaluations,
        reason);
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
    while (lowered < ranking.size()
        && plan(lowered).averageWeightBits(weightCounts) > averageBits) {
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
      if (isWithin(loss(baseline, second.applyAsDouble(plan(k))), baseline)) {
        if (!known.containsKey(k) && mustStop().isPresent()) {
          return Optional.empty();
        }
        if (isWithin(evaluate(k, evaluator).loss(), trialOf(0).metric())) {
          return Optional.of(trialOf(k));
        }
      }
    }
    return Optional.of(trialOf(0));
  }

  /** Metrics are often rounded quotients: a loss of exactly the budget must not fail by that. */
  private boolean isWithin(double loss, double baseline) {
    return loss < Double.POSITIVE_INFINITY && loss <= maxDrop + 2 * Math.ulp(baseline);
  }

  private Trial trialOf(int k) {
    Trial trial = known.get(k);
    Checks.state(trial != null, "layer count %s has not been evaluated", k);
    return Objects.requireNonNull(trial);
  }

  private Optional<StopReason> mustStop() {
    if (Thread.currentThread().isInterrupted()) {
      return Optional.of(StopReason.INTERRUPTED);
    }
    return evaluations >= maxEvaluations
        ? Optional.of(StopReason.MAX_EVALUATIONS)
        : Optional.empty();
  }

  private Trial evaluate(int k, ToDoubleFunction<PrecisionPlan> evaluator) {
    Trial before = known.get(k);
    if (before != null) {
      return before;
    }
    PrecisionPlan plan = plan(k);
    double bits = plan.averageWeightBits(weightCounts);
    OptionalDouble logged = log.map(l -> l.find(plan)).orElse(OptionalDouble.empty());
    double metric;
    if (logged.isPresent()) {
      metric = logged.getAsDouble();
    } else {
      metric = evaluator.applyAsDouble(plan);
      evaluations++;
      log.ifPresent(l -> l.append(plan, bits, metric));
    }
    double reference = k == 0 ? metric : trialOf(0).metric();
    Trial trial = new Trial(k, plan, bits, metric, loss(reference, metric), logged.isPresent());
    known.put(k, trial);
    trials.add(trial);
    onTrial.accept(trial);
    return trial;
  }

  private double loss(double baseline, double metric) {
    double loss = direction.loss(baseline, metric);
    return Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
  }

  private PrecisionPlan plan(int k) {
    PrecisionPlan plan = first;
    for (String layer : ranking.subList(0, k)) {
      plan = plan.with(layer, first.of(layer).withWeightBits(lowBits));
    }
    return plan;
  }

  /** Describes a search. */
  public static final class Builder {
    private static final int DEFAULT_LOW_BITS = 4;
    private static final double DEFAULT_MAX_DROP = 0.01;

    private final ImmutableList<LayerDescription> layers;
    private final PrecisionPlan first;
    private final ImmutableList<String> ranking;
    private ImmutableMap<String, Integer> leastBits = ImmutableMap.of();
    private ImmutableMap<String, String> leftOut = ImmutableMap.of();
    private int lowBits = DEFAULT_LOW_BITS;
    private double maxDrop = DEFAULT_MAX_DROP;
    private MetricDirection direction = MetricDirection.HIGHER_IS_BETTER;
    private int maxEvaluations = Integer.MAX_VALUE;
    private Consumer<Trial> onTrial = trial -> {};
    private Optional<Path> log = Optional.empty();
    private Optional<ToDoubleFunction<PrecisionPlan>> confirmation = Optional.empty();

    private Builder(List<LayerDescription> layers, PrecisionPlan first, List<String> ranking) {
      this.layers = ImmutableList.copyOf(layers);
      this.first = first;
      this.ranking = ImmutableList.copyOf(ranking);
      List<String> names = layers.stream().map(LayerDescription::name).toList();
      for (String layer : ranking) {
        Checks.that(names.contains(layer), "ranking", "name only the layers " + names, layer);
      }
      Checks.that(
          ranking.stream().distinct().count() == ranking.size(),
          "ranking",
          "name each layer once",
          ranking);
    }

    /** The low precision, in bits of a weight; 2 to 16, default 4. */
    @CanIgnoreReturnValue
    public Builder lowBits(int bits) {
      Checks.inRange("lowBits", bits, 2, 16);
      lowBits = bits;
      return this;
    }

    /**
     * Leaves layers out that must not have as few bits as the low precision, such as the heads of
     * {@link OutputClassPolicy#bounds}.
     *
     * @param bits the least width by layer; layers that are not named have none
     */
    @CanIgnoreReturnValue
    public Builder leastBits(Map<String, Integer> bits) {
      leastBits = ImmutableMap.copyOf(bits);
      return this;
    }

    /** Says of layers that the ranking lacks why they are not tried, for the result. */
    @CanIgnoreReturnValue
    public Builder leftOut(Map<String, String> reasons) {
      leftOut = ImmutableMap.copyOf(reasons);
      return this;
    }

    private boolean mayBeLow(String layer) {
      return leastBits.getOrDefault(layer, 0) <= lowBits;
    }

    private ImmutableMap<String, String> allLeftOut() {
      ImmutableMap.Builder<String, String> reasons = ImmutableMap.builder();
      reasons.putAll(leftOut);
      for (String layer : ranking) {
        if (!mayBeLow(layer)) {
          reasons.put(layer, "its outputs ask for at least " + leastBits.get(layer) + " bits");
        }
      }
      return reasons.buildKeepingLast();
    }

    /** The budget, in units of the metric; not negative, default 0.01. */
    @CanIgnoreReturnValue
    public Builder maxDrop(double drop) {
      maxDrop = Checks.nonNegativeFinite("maxDrop", drop);
      return this;
    }

    /** Which way the metric gets better; default higher. */
    @CanIgnoreReturnValue
    public Builder direction(MetricDirection better) {
      direction = better;
      return this;
    }

    /** After how many evaluations, the baseline included, the search gives its best so far. */
    @CanIgnoreReturnValue
    public Builder maxEvaluations(int evaluations) {
      maxEvaluations = Checks.positive("maxEvaluations", evaluations);
      return this;
    }

    /** Called after each trial, for progress. */
    @CanIgnoreReturnValue
    public Builder onTrial(Consumer<Trial> consumer) {
      onTrial = consumer;
      return this;
    }

    /**
     * Keeps every trial in a file as it finishes. A search of the same plans that is started again
     * with the same file evaluates only what the file lacks.
     */
    @CanIgnoreReturnValue
    public Builder trialLog(Path file) {
      log = Optional.of(file);
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
