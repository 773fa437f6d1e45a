package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.dl4jquant.internal.Checks;

/**
 * The options that all searches share. Not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class SearchBuilder<B extends SearchBuilder<B>> {
  static final double DEFAULT_MAX_DROP = 0.01;

  private final ImmutableList<LayerDescription> layers;
  private final ImmutableList<String> ranking;
  private ImmutableMap<String, Integer> leastBits = ImmutableMap.of();
  private ImmutableMap<String, String> leftOut = ImmutableMap.of();
  private OptionalDouble maxDrop = OptionalDouble.empty();
  private MetricDirection direction = MetricDirection.HIGHER_IS_BETTER;
  private int maxEvaluations = Integer.MAX_VALUE;
  private Consumer<Trial> onTrial = trial -> {};
  private Optional<Path> log = Optional.empty();

  SearchBuilder(List<LayerDescription> layers, List<String> ranking) {
    this.layers = ImmutableList.copyOf(layers);
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

  /**
   * Leaves layers out that must not have as few bits as the low precision, such as the heads of
   * {@link OutputClassPolicy#bounds}.
   *
   * @param bits the least width by layer; layers that are not named have none
   */
  @CanIgnoreReturnValue
  public final B leastBits(Map<String, Integer> bits) {
    leastBits = ImmutableMap.copyOf(bits);
    return self();
  }

  /** Says of layers that are not tried why, for the result. */
  @CanIgnoreReturnValue
  public final B leftOut(Map<String, String> reasons) {
    leftOut = ImmutableMap.copyOf(reasons);
    return self();
  }

  /** The budget, in units of the metric; not negative, default 0.01. */
  @CanIgnoreReturnValue
  public final B maxDrop(double drop) {
    maxDrop = OptionalDouble.of(Checks.nonNegativeFinite("maxDrop", drop));
    return self();
  }

  /** Which way the metric gets better; default higher. */
  @CanIgnoreReturnValue
  public final B direction(MetricDirection better) {
    direction = better;
    return self();
  }

  /** After how many evaluations, the baseline included, the search gives its best so far. */
  @CanIgnoreReturnValue
  public final B maxEvaluations(int evaluations) {
    maxEvaluations = Checks.positive("maxEvaluations", evaluations);
    return self();
  }

  /** Called after each trial, for progress. */
  @CanIgnoreReturnValue
  public final B onTrial(Consumer<Trial> consumer) {
    onTrial = consumer;
    return self();
  }

  /**
   * Keeps every trial in a file as it finishes. A search of the same plans that is started again
   * with the same file evaluates only what the file lacks.
   */
  @CanIgnoreReturnValue
  public final B trialLog(Path file) {
    log = Optional.of(file);
    return self();
  }

  private boolean mayHave(String layer, int bits) {
    return leastBits.getOrDefault(layer, 0) <= bits;
  }

  /** Returns the layers of the ranking that may have as few bits. */
  final ImmutableList<String> candidates(int lowBits) {
    return ranking.stream()
        .filter(layer -> mayHave(layer, lowBits))
        .collect(ImmutableList.toImmutableList());
  }

  /** Returns why layers are not tried, those of the ranking that may not have as few bits too. */
  final ImmutableMap<String, String> allLeftOut(int lowBits) {
    ImmutableMap.Builder<String, String> reasons = ImmutableMap.builder();
    reasons.putAll(leftOut);
    for (String layer : ranking) {
      if (!mayHave(layer, lowBits)) {
        reasons.put(layer, "its outputs ask for at least " + leastBits.get(layer) + " bits");
      }
    }
    return reasons.buildKeepingLast();
  }

  final ImmutableMap<String, Integer> leastBits() {
    return leastBits;
  }

  final ImmutableList<LayerDescription> layers() {
    return layers;
  }

  final OptionalDouble maxDrop() {
    return maxDrop;
  }

  final MetricDirection direction() {
    return direction;
  }

  final int maxEvaluations() {
    return maxEvaluations;
  }

  final Consumer<Trial> onTrial() {
    return onTrial;
  }

  final Optional<Path> log() {
    return log;
  }

  @SuppressWarnings("unchecked") // every builder is a builder of itself
  private B self() {
    return (B) this;
  }
}
