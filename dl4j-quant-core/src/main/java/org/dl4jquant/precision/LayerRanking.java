package org.dl4jquant.precision;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The order in which layers are tried at low precision (US20240185029A1, claims 1, 6 and 7).
 *
 * <p>Layers of equal statistic keep their order in the network. A layer whose statistic is infinite
 * is left out with a warning. Frozen layers are left out unless {@code frozenFirst} is set.
 *
 * @param order by which the statistics are sorted
 * @param excludeSmallest whether the layer with the smallest statistic is left out (claim 7)
 * @param frozenFirst whether frozen layers come first instead of being left out
 */
public record LayerRanking(Order order, boolean excludeSmallest, boolean frozenFirst) {
  /** The published ranking: ascending, nothing excluded but frozen layers. */
  public static final LayerRanking PUBLISHED = new LayerRanking(Order.ascending(), false, false);

  private static final Logger log = LoggerFactory.getLogger(LayerRanking.class);

  /** How statistics are sorted; all but ascending serve to judge it. */
  public sealed interface Order {
    /** Lowest first, as published. */
    static Order ascending() {
      return new Ascending();
    }

    /** Highest first. */
    static Order descending() {
      return new Descending();
    }

    /** Shuffled by {@code seed}. */
    static Order random(long seed) {
      return new Shuffled(seed);
    }

    /** Sorts in place what is in the order of the network. */
    void sort(List<LayerStatistic> statistics);

    /** Lowest first. */
    record Ascending() implements Order {
      @Override
      public void sort(List<LayerStatistic> statistics) {
        statistics.sort(Comparator.comparingDouble(LayerStatistic::value));
      }
    }

    /** Highest first. */
    record Descending() implements Order {
      @Override
      public void sort(List<LayerStatistic> statistics) {
        statistics.sort(Comparator.comparingDouble(LayerStatistic::value).reversed());
      }
    }

    /** Shuffled. */
    record Shuffled(long seed) implements Order {
      @Override
      public void sort(List<LayerStatistic> statistics) {
        Collections.shuffle(statistics, new Random(seed));
      }
    }
  }

  /** Returns this ranking with another order. */
  public LayerRanking withOrder(Order other) {
    return new LayerRanking(other, excludeSmallest, frozenFirst);
  }

  /** Returns this ranking with the layer of the smallest statistic left out. */
  public LayerRanking withoutSmallest() {
    return new LayerRanking(order, true, frozenFirst);
  }

  /** Returns this ranking with frozen layers in front. */
  public LayerRanking withFrozenFirst() {
    return new LayerRanking(order, excludeSmallest, true);
  }

  /**
   * Returns the layers that {@link #rank} leaves out, in the order of the network, with the reason.
   */
  public ImmutableMap<String, String> leftOut(
      List<LayerStatistic> statistics, Set<String> ineligible) {
    ImmutableList<String> ranked = sorted(statistics, ineligible);
    ImmutableMap.Builder<String, String> reasons = ImmutableMap.builder();
    for (LayerStatistic statistic : statistics) {
      if (!ranked.contains(statistic.layer())) {
        reasons.put(statistic.layer(), reason(statistic, ineligible));
      }
    }
    return reasons.buildOrThrow();
  }

  private static String reason(LayerStatistic statistic, Set<String> ineligible) {
    if (statistic.value() == Double.POSITIVE_INFINITY) {
      return "its statistic is infinite";
    } else if (ineligible.contains(statistic.layer())) {
      return "its width is pinned";
    } else if (statistic.frozen()) {
      return "it was frozen in training";
    }
    return "its statistic is the smallest";
  }

  /**
   * Returns the names of the layers to try at low precision, first come first.
   *
   * @param statistics in the order of the network
   * @param ineligible names of layers that must not be tried, such as pinned ones
   */
  public ImmutableList<String> rank(List<LayerStatistic> statistics, Set<String> ineligible) {
    statistics.stream()
        .filter(statistic -> statistic.value() == Double.POSITIVE_INFINITY)
        .forEach(
            statistic ->
                log.warn(
                    "layer {} has an infinite statistic and keeps its precision",
                    statistic.layer()));
    return sorted(statistics, ineligible);
  }

  private ImmutableList<String> sorted(List<LayerStatistic> statistics, Set<String> ineligible) {
    List<LayerStatistic> frozen = new ArrayList<>();
    List<LayerStatistic> trained = new ArrayList<>();
    for (LayerStatistic statistic : statistics) {
      if (statistic.value() < Double.POSITIVE_INFINITY && !ineligible.contains(statistic.layer())) {
        (statistic.frozen() ? frozen : trained).add(statistic);
      }
    }
    if (excludeSmallest) {
      trained.stream()
          .min(Comparator.comparingDouble(LayerStatistic::value))
          .ifPresent(trained::remove);
    }
    order.sort(trained);
    ImmutableList.Builder<String> names = ImmutableList.builder();
    if (frozenFirst) {
      frozen.forEach(statistic -> names.add(statistic.layer()));
    }
    trained.forEach(statistic -> names.add(statistic.layer()));
    return names.build();
  }
}
