package org.dl4jquant.benchmarks;

import com.google.common.math.Quantiles;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Runs alternatives in turn within one process and compares each with the first, so that a machine
 * that slows down slows all of them down: the ratio is taken within a round, its spread over the
 * rounds.
 */
final class Interleaved {
  private static final double NANOS_PER_MILLI = 1e6;

  private final Map<String, Alternative> alternatives = new LinkedHashMap<>();

  private record Alternative(Runnable work, LongSupplier insideNanos) {}

  /** What one alternative took, a number per round. */
  private record Times(List<Double> millis, List<Double> insideShares) {}

  /** Adds an alternative; the first is what the others are compared with. */
  @CanIgnoreReturnValue
  Interleaved with(String name, Runnable work) {
    return with(name, work, () -> 0);
  }

  /**
   * Adds an alternative that tells how much of its time, since it was last asked, a part of it
   * took.
   */
  @CanIgnoreReturnValue
  Interleaved with(String name, Runnable work, LongSupplier insideNanos) {
    alternatives.put(name, new Alternative(work, insideNanos));
    return this;
  }

  /**
   * Runs {@code warmup} rounds unseen, then {@code rounds}, and returns a line per alternative:
   * median time, median ratio to the first, and the share of the part inside, the latter two with
   * their quartiles.
   */
  String compare(int warmup, int rounds) {
    Map<String, Times> taken = new LinkedHashMap<>();
    alternatives
        .keySet()
        .forEach(name -> taken.put(name, new Times(new ArrayList<>(), new ArrayList<>())));
    for (int round = -warmup; round < rounds; round++) {
      for (Map.Entry<String, Alternative> alternative : alternatives.entrySet()) {
        long start = System.nanoTime();
        alternative.getValue().work().run();
        double nanos = System.nanoTime() - start;
        double inside = alternative.getValue().insideNanos().getAsLong();
        Times times = taken.get(alternative.getKey());
        if (round >= 0 && times != null) {
          times.millis().add(nanos / NANOS_PER_MILLI);
          times.insideShares().add(inside / (nanos - inside));
        }
      }
    }
    List<Double> first = taken.values().iterator().next().millis();
    StringBuilder table = new StringBuilder();
    taken.forEach((name, times) -> table.append(row(name, times, first)));
    return table.toString();
  }

  private static String row(String name, Times times, List<Double> first) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      ratios.add(times.millis().get(i) / first.get(i));
    }
    return String.format(
        Locale.ROOT,
        "%-20s %9.3f ms   ratio %s   inside %s%n",
        name,
        Quantiles.median().compute(times.millis()),
        spread(ratios),
        spread(times.insideShares()));
  }

  private static String spread(List<Double> values) {
    Map<Integer, Double> quartiles = Quantiles.quartiles().indexes(1, 2, 3).compute(values);
    return String.format(
        Locale.ROOT, "%.4f [%.4f, %.4f]", quartiles.get(2), quartiles.get(1), quartiles.get(3));
  }
}
