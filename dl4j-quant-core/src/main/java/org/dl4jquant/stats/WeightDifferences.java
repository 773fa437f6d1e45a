package org.dl4jquant.stats;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.internal.Checks;

/**
 * How far the weights of every layer moved during training: the statistic by which the published
 * method (US20200218962A1, US20230206031A1, US20240185029A1) finds layers that tolerate few bits.
 *
 * <p>The statistic of a layer with N weights after T cycles is {@code 1/(T N) * sum over cycles and
 * weights of (weight - reference)^2}. A weight that became NaN or infinite makes it infinite, for
 * good and for each aggregate, so that the layer is never chosen; {@link #warnings} names such
 * layers. Immutable and thread-safe.
 *
 * @param reference what weights are compared with
 * @param cycle what a cycle is
 * @param cycles how many cycles were seen, not negative
 * @param layers the layers in the network's order, with different names
 */
public record WeightDifferences(
    DifferenceReference reference,
    TrainingCycle cycle,
    long cycles,
    ImmutableList<LayerDifference> layers) {
  public WeightDifferences {
    Objects.requireNonNull(reference, "reference");
    Objects.requireNonNull(cycle, "cycle");
    Checks.that(cycles >= 0, "cycles", "not be negative", cycles);
    Set<String> names = new HashSet<>();
    for (LayerDifference layer : layers) {
      Checks.that(names.add(layer.layer()), "layers", "have different names", layer.layer());
    }
  }

  /** Returns {@link #statistic(String, DifferenceAggregate)} as the mean over all cycles. */
  public double statistic(String layer) {
    return statistic(layer, DifferenceAggregate.MEAN_OVER_CYCLES);
  }

  /**
   * Returns the mean square difference of the layer's weights: not negative, infinite if a weight
   * was ever not finite.
   *
   * @throws IllegalArgumentException if there is no such layer
   * @throws IllegalStateException if no cycle was seen
   */
  public double statistic(String layer, DifferenceAggregate aggregate) {
    LayerDifference found = layer(layer);
    requireCycles();
    if (found.nonFinite()) {
      return Double.POSITIVE_INFINITY;
    }
    return switch (aggregate) {
      case MEAN_OVER_CYCLES -> found.squares() / ((double) found.weights() * cycles);
      case FINAL -> found.lastSquares() / found.weights();
    };
  }

  /**
   * Returns the statistic of every layer, in the network's order.
   *
   * @throws IllegalStateException if no cycle was seen
   */
  public ImmutableMap<String, Double> statistics(DifferenceAggregate aggregate) {
    requireCycles();
    ImmutableMap.Builder<String, Double> statistics = ImmutableMap.builder();
    for (LayerDifference layer : layers) {
      statistics.put(layer.layer(), statistic(layer.layer(), aggregate));
    }
    return statistics.buildOrThrow();
  }

  /**
   * Returns the mean square difference of each output channel of one weight tensor, empty if
   * channels were not recorded; infinite where a weight was ever not finite.
   *
   * @throws IllegalArgumentException if there is no such layer or tensor
   * @throws IllegalStateException if no cycle was seen
   */
  public ImmutableDoubleArray channelStatistics(
      String layer, String parameter, DifferenceAggregate aggregate) {
    LayerDifference found = layer(layer);
    ParameterDifference tensor =
        found.parameters().stream()
            .filter(p -> p.name().equals(parameter))
            .findFirst()
            .orElseThrow(
                () ->
                    Checks.violated(
                        "parameter", "be a weight of layer " + found.shape(), parameter));
    requireCycles();
    double perChannel = tensor.channels() == 0 ? 0 : (double) tensor.weights() / tensor.channels();
    ImmutableDoubleArray.Builder means = ImmutableDoubleArray.builder();
    for (int c = 0; c < tensor.channels(); c++) {
      double sum = tensor.channelSquares().get(c);
      means.add(
          aggregate == DifferenceAggregate.MEAN_OVER_CYCLES || Double.isInfinite(sum)
              ? sum / (perChannel * cycles)
              : tensor.channelLastSquares().get(c) / perChannel);
    }
    return means.build();
  }

  /**
   * Returns the layer of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public LayerDifference layer(String name) {
    return layers.stream()
        .filter(layer -> layer.layer().equals(name))
        .findFirst()
        .orElseThrow(() -> Checks.violated("layer", "be one of " + names(), name));
  }

  /** Returns a sentence for each layer whose statistic is infinite. */
  public ImmutableList<String> warnings() {
    return layers.stream()
        .filter(LayerDifference::nonFinite)
        .map(l -> "layer " + l.layer() + " had weights that are NaN or infinite")
        .collect(ImmutableList.toImmutableList());
  }

  /**
   * Returns what one run over the cycles of this and then of {@code later} would have seen: sums
   * and cycles add, the last cycle is the later one's, and a layer counts as frozen if both left it
   * alone. The runs must not share cycles. Associative up to the rounding of the sums; a run of no
   * cycles changes nothing but the frozen mark; only the last cycle depends on the order.
   *
   * @throws IllegalArgumentException if reference, cycle, or the layers with their tensors differ
   */
  public WeightDifferences combine(WeightDifferences later) {
    Checks.that(reference == later.reference, "reference", "be " + reference, later.reference);
    Checks.that(cycle.equals(later.cycle), "cycle", "be " + cycle, later.cycle);
    List<String> mine = layers.stream().map(LayerDifference::shape).toList();
    List<String> theirs = later.layers.stream().map(LayerDifference::shape).toList();
    Checks.that(mine.equals(theirs), "layers", "be " + mine, theirs);
    ImmutableList.Builder<LayerDifference> sums = ImmutableList.builder();
    for (int i = 0; i < layers.size(); i++) {
      sums.add(layers.get(i).combine(later.layers.get(i), later.cycles > 0));
    }
    return new WeightDifferences(
        reference, cycle, Math.addExact(cycles, later.cycles), sums.build());
  }

  /**
   * Refuses a network that is not the one that was watched.
   *
   * @param weightsByLayer the number of weights of each layer of the network, in its order
   * @throws IllegalArgumentException that names the first layer that differs, if one does
   */
  public void requireMatches(Map<String, Long> weightsByLayer) {
    Map<String, Long> watched = new LinkedHashMap<>();
    layers.forEach(layer -> watched.put(layer.layer(), layer.weights()));
    Set<String> all = new LinkedHashSet<>(watched.keySet());
    all.addAll(weightsByLayer.keySet());
    for (String name : all) {
      Checks.that(
          Objects.equals(watched.get(name), weightsByLayer.get(name)),
          "network",
          "be the one that was watched, with " + describe(name, watched),
          describe(name, weightsByLayer));
    }
  }

  private static String describe(String layer, Map<String, Long> of) {
    Long weights = of.get(layer);
    return weights == null
        ? "no layer " + layer + " among " + of.keySet()
        : "layer " + layer + " of " + weights + " weights";
  }

  /** Returns the JSON form, which {@link #fromJson} reads. */
  public String toJson() {
    return WeightDifferencesJson.write(this);
  }

  /**
   * Reads what {@link #toJson} has written.
   *
   * @param source where the text is from, for messages
   * @throws InvalidStatisticsException that names the source, if the text is anything else
   */
  public static WeightDifferences fromJson(String json, String source) {
    return WeightDifferencesJson.read(json, source);
  }

  private List<String> names() {
    return layers.stream().map(LayerDifference::layer).toList();
  }

  private void requireCycles() {
    Checks.state(
        cycles > 0,
        "no cycle of training was seen: a cycle is %d %s(s); train for longer, or choose a shorter"
            + " cycle",
        cycle.length(),
        cycle.unit().name().toLowerCase(Locale.ROOT));
  }
}
