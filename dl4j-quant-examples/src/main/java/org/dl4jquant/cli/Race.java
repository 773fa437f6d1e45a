package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import com.google.common.math.Quantiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs contenders in turn on the same batch, so that a machine that slows down slows all of them; a
 * ratio is taken within a round, its spread over the rounds.
 */
final class Race {
  private static final int MIN_ROUNDS = 5;
  private static final double NANOS_PER_MILLI = 1e6;
  private static final double NANOS_PER_SECOND = 1e9;

  private Race() {}

  /**
   * How one contender did.
   *
   * @param millis for one batch, median over the rounds
   * @param speedup over the first contender, median
   * @param lowest the first quartile of the speedup
   * @param highest the third quartile
   */
  record Result(String name, double millis, double speedup, double lowest, double highest) {}

  /**
   * Runs for about {@code seconds}, of which a quarter only warms up, and 5 rounds at least.
   *
   * @return one result per contender, in order
   */
  static ImmutableList<Result> run(List<Contender> contenders, double seconds, INDArray... batch) {
    List<List<Double>> times =
        contenders.stream().<List<Double>>map(contender -> new ArrayList<>()).toList();
    long start = System.nanoTime();
    long counted = start + (long) (seconds / 4 * NANOS_PER_SECOND);
    long end = start + (long) (seconds * NANOS_PER_SECOND);
    contenders.forEach(contender -> contender.run().accept(batch));
    while (times.get(0).size() < MIN_ROUNDS || System.nanoTime() < end) {
      boolean counts = System.nanoTime() >= counted;
      for (int i = 0; i < contenders.size(); i++) {
        long before = System.nanoTime();
        contenders.get(i).run().accept(batch);
        double millis = (System.nanoTime() - before) / NANOS_PER_MILLI;
        if (counts) {
          times.get(i).add(millis);
        }
      }
    }
    return IntStream.range(0, contenders.size())
        .mapToObj(i -> result(contenders.get(i).name(), times.get(i), times.get(0)))
        .collect(ImmutableList.toImmutableList());
  }

  private static Result result(String name, List<Double> times, List<Double> first) {
    List<Double> speedups = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      speedups.add(first.get(i) / times.get(i));
    }
    Map<Integer, Double> quartiles = Quantiles.quartiles().indexes(1, 2, 3).compute(speedups);
    return new Result(
        name,
        Quantiles.median().compute(times),
        quartiles.getOrDefault(2, Double.NaN),
        quartiles.getOrDefault(1, Double.NaN),
        quartiles.getOrDefault(3, Double.NaN));
  }
}
