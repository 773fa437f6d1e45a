package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Ordering;
import com.google.common.primitives.Ints;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.SearchResult.StopReason;

/**
 * Lowers one layer after the other, one width at a time, as long as the loss stays within the
 * budget, or until the weights are small enough.
 *
 * <ul>
 *   <li>{@link #measuring} tries, in each round, every layer that may still be lowered, and lowers
 *       the one that costs least loss per bit saved; a layer that breaks the budget is not tried
 *       again. At most {@code 1 + W·L·(L + 1)/2} evaluations for L layers and W widths.
 *   <li>{@link #over} takes the layers in the order of a ranking by any score, and passes those
 *       that break the budget: at most {@code 1 + W·L} evaluations, where {@link
 *       AccuracyBudgetSearch} needs {@code 1 + log2(L + 1)}, but stops at the first such layer.
 * </ul>
 *
 * <p>With a limit of size, the loss has no budget unless one is set, and the search ends as soon as
 * the limit is met; a layer that meets it in the last round goes before one that costs less per bit
 * and more loss. Of equal layers, the first of the network is lowered.
 *
 * <p>The answer was itself evaluated. A metric that is NaN counts as an infinite loss, which no
 * budget allows. Interruption of the thread, and the limit of evaluations, end the search between
 * two evaluations with what it has lowered so far. Not thread-safe.
 */
public final class GreedySearch {
  private final ImmutableList<LayerDescription> candidates;
  private final ImmutableMap<String, String> leftOut;
  private final ImmutableList<Integer> widths;
  private final ImmutableMap<String, Integer> leastBits;
  private final PrecisionPlan first;
  private final boolean measures;
  private final OptionalDouble averageBits;
  private final Trials trials;

  private final Set<String> closed = new HashSet<>();
  private final Set<String> lowered = new LinkedHashSet<>();
  private Optional<StopReason> stopped = Optional.empty();

  private GreedySearch(Builder builder) {
    first = builder.first;
    measures = builder.measures;
    leastBits = builder.leastBits();
    widths = Ordering.<Integer>natural().reverse().immutableSortedCopy(builder.widths);
    ImmutableList<String> names = builder.candidates(widths.get(0));
    candidates =
        names.stream()
            .flatMap(name -> builder.layers().stream().filter(own -> own.name().equals(name)))
            .filter(layer -> layer.weightCount() > 0)
            .collect(ImmutableList.toImmutableList());
    leftOut = builder.allLeftOut(widths.get(0));
    averageBits = builder.averageBits;
    trials =
        new Trials(
            builder,
            builder
                .maxDrop()
                .orElse(
                    averageBits.isPresent()
                        ? Double.POSITIVE_INFINITY
                        : SearchBuilder.DEFAULT_MAX_DROP));
  }

  /**
   * Starts to describe a search that measures which layer is next.
   *
   * @param layers all layers of the network
   * @param first the plan to start from, which is the baseline
   * @param candidates the layers that may be lowered; each must be one of {@code layers}
   */
  public static Builder measuring(
      List<LayerDescription> layers, PrecisionPlan first, List<String> candidates) {
    return new Builder(layers, first, candidates, true);
  }

  /**
   * Starts to describe a search in a given order.
   *
   * @param layers all layers of the network
   * @param first the plan to start from, which is the baseline
   * @param ranking the layers to try, in this order; each must be one of {@code layers}
   */
  public static Builder over(
      List<LayerDescription> layers, PrecisionPlan first, List<String> ranking) {
    return new Builder(layers, first, ranking, false);
  }

  /** A layer at its next width, with the bits that this saves. */
  private record Step(String layer, int bits, PrecisionPlan plan, double saved) {}

  /** A step that was evaluated and is within the budget. */
  private record Price(Step step, Trial trial, double growth) {
    static final Comparator<Price> ORDER =
        Comparator.comparingDouble(Price::perBit)
            .thenComparing(price -> price.step().saved(), Comparator.reverseOrder());

    /** Loss per bit; what costs nothing is the better the more bits it saves. */
    double perBit() {
      return growth > 0 ? growth / step.saved() : growth * step.saved();
    }
  }

  /**
   * Runs the search; once per instance. The result's ranking has the lowered layers first, in the
   * order in which they were.
   *
   * @param evaluator returns the metric of a network quantized by the plan, on data that was not
   *     used to train or calibrate
   */
  public SearchResult run(ToDoubleFunction<PrecisionPlan> evaluator) {
    Checks.state(trials.isEmpty(), "a search runs only once");
    Trial current = trials.evaluate(0, first, evaluator);
    boolean any = !steps(current.plan()).isEmpty();
    while (!isSmall(current)) {
      List<Step> steps = steps(current.plan());
      Optional<Price> next =
          measures ? cheapest(current, steps, evaluator) : first(current, steps, evaluator);
      if (next.isEmpty()) {
        break;
      }
      lowered.add(next.get().step().layer());
      current = next.get().trial();
    }
    return trials.result(current, ranking(), leftOut, reason(current, any));
  }

  private StopReason reason(Trial last, boolean any) {
    if (isSmall(last)) {
      return StopReason.FINISHED;
    } else if (stopped.isPresent()) {
      return stopped.get();
    } else if (averageBits.isPresent()) {
      return StopReason.OUT_OF_REACH;
    }
    return any ? StopReason.FINISHED : StopReason.NO_CANDIDATES;
  }

  private boolean isSmall(Trial trial) {
    return averageBits.isPresent() && trial.averageWeightBits() <= averageBits.getAsDouble();
  }

  private ImmutableList<String> ranking() {
    Set<String> names = new LinkedHashSet<>(lowered);
    candidates.forEach(layer -> names.add(layer.name()));
    return ImmutableList.copyOf(names);
  }

  /** Returns the next width of every layer that has one; in a given order, wide ones first. */
  private List<Step> steps(PrecisionPlan plan) {
    List<Step> steps = new ArrayList<>();
    for (LayerDescription layer : candidates) {
      LayerPrecision own = plan.of(layer.name());
      widths.stream()
          .filter(
              bits -> bits < own.weightBits() && bits >= leastBits.getOrDefault(layer.name(), 0))
          .findFirst()
          .filter(bits -> !closed.contains(layer.name()))
          .ifPresent(
              bits ->
                  steps.add(
                      new Step(
                          layer.name(),
                          bits,
                          plan.with(layer.name(), own.withWeightBits(bits)),
                          (double) layer.weightCount() * (own.weightBits() - bits))));
    }
    if (!measures) {
      steps.sort(Comparator.comparingInt(Step::bits).reversed());
    }
    return steps;
  }

  private Optional<Price> cheapest(
      Trial current, List<Step> steps, ToDoubleFunction<PrecisionPlan> evaluator) {
    List<Price> prices = new ArrayList<>();
    for (Step step : steps) {
      price(current, step, evaluator).ifPresent(prices::add);
      if (stopped.isPresent()) {
        return Optional.empty();
      }
    }
    Optional<Price> cheapest = prices.stream().min(Price.ORDER);
    Optional<Price> last =
        prices.stream()
            .filter(price -> isSmall(price.trial()))
            .min(Comparator.comparingDouble(Price::growth));
    return last.filter(own -> own.growth() <= cheapest.orElseThrow().growth()).or(() -> cheapest);
  }

  private Optional<Price> first(
      Trial current, List<Step> steps, ToDoubleFunction<PrecisionPlan> evaluator) {
    for (Step step : steps) {
      Optional<Price> price = price(current, step, evaluator);
      if (price.isPresent() || stopped.isPresent()) {
        return price;
      }
    }
    return Optional.empty();
  }

  /** Returns what a step costs; empty if that is too much, or if the search has to stop. */
  private Optional<Price> price(
      Trial current, Step step, ToDoubleFunction<PrecisionPlan> evaluator) {
    stopped = trials.mustStop();
    if (stopped.isPresent()) {
      return Optional.empty();
    }
    int count = lowered.size() + (lowered.contains(step.layer()) ? 0 : 1);
    Trial trial = trials.evaluate(count, step.plan(), evaluator);
    if (!trials.isWithin(trial)) {
      closed.add(step.layer());
      return Optional.empty();
    }
    return Optional.of(new Price(step, trial, trial.loss() - current.loss()));
  }

  /** Describes a search. */
  public static final class Builder extends SearchBuilder<Builder> {
    private static final int DEFAULT_LOW_BITS = 4;

    private final PrecisionPlan first;
    private final boolean measures;
    private ImmutableSet<Integer> widths = ImmutableSet.of(DEFAULT_LOW_BITS);
    private OptionalDouble averageBits = OptionalDouble.empty();

    private Builder(
        List<LayerDescription> layers,
        PrecisionPlan first,
        List<String> candidates,
        boolean measures) {
      super(layers, candidates);
      this.first = first;
      this.measures = measures;
    }

    /**
     * The widths that layers go through, from the widest on, in bits of a weight; each 2 to 16,
     * default 4 alone.
     */
    @CanIgnoreReturnValue
    public Builder lowBits(int... bits) {
      Checks.that(bits.length > 0, "lowBits", "name a width", "none");
      for (int width : bits) {
        Checks.inRange("lowBits", width, 2, 16);
      }
      widths = ImmutableSet.copyOf(Ints.asList(bits));
      return this;
    }

    /** Ends the search as soon as a weight has at most so many bits on average; positive. */
    @CanIgnoreReturnValue
    public Builder averageBits(double bits) {
      averageBits = OptionalDouble.of(Checks.positiveFinite("averageBits", bits));
      return this;
    }

    /** Ends the search as soon as the codes of all weights have at most so many bytes; positive. */
    @CanIgnoreReturnValue
    public Builder weightBytes(long bytes) {
      Checks.that(bytes > 0, "weightBytes", "be positive", bytes);
      long weights = layers().stream().mapToLong(LayerDescription::weightCount).sum();
      return averageBits((double) bytes * Byte.SIZE / Math.max(1, weights));
    }

    /** Returns the search. */
    public GreedySearch build() {
      return new GreedySearch(this);
    }
  }
}
