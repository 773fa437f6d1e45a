package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableListMultimap;
import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Function;
import org.dl4jquant.examples.ScoreTable.Correlation;

/**
 * The scores of a study side by side on the same trained networks. Intervals hold 95 % of the means
 * of 10,000 resamplings, with replacement, of the kinds of networks and then of the seeds of each;
 * the widths of a trained network stay together. Few kinds make them rough.
 */
record ScoreSummary(ImmutableList<Correlation> correlations) {
  /** What the others are compared with: what costs nothing and needs no data. */
  static final String BASELINE = "mean squared error of the weights";

  private static final String RANDOM = "random";
  private static final int RESAMPLINGS = 10_000;

  /** A trained network at one width. */
  private record Cell(String subject, long seed, int bits) {
    static Cell of(Correlation correlation) {
      return new Cell(correlation.subject(), correlation.seed(), correlation.bits());
    }
  }

  /** Returns a Markdown table of a line per score, best mean first. */
  String markdown() {
    ImmutableListMultimap<String, Correlation> byScore =
        correlations.stream()
            .filter(own -> own.value().isPresent())
            .collect(
                ImmutableListMultimap.toImmutableListMultimap(
                    Correlation::score, Function.identity()));
    StringBuilder text =
        new StringBuilder(
            """

            | score | mean | 95 % interval | above 0 | above random | less that of the baseline | 95 % interval |
            |---|---|---|---|---|---|---|
            """);
    byScore.asMap().entrySet().stream()
        .map(own -> Map.entry(own.getKey(), cells(own.getKey())))
        .sorted((a, b) -> Double.compare(mean(b.getValue()), mean(a.getValue())))
        .forEach(own -> text.append(line(own.getKey(), own.getValue())));
    return text.toString();
  }

  private String line(String score, Map<Cell, Double> own) {
    Map<Cell, Double> gain = difference(own, cells(BASELINE));
    Map<Cell, Double> ahead = difference(own, cells(RANDOM));
    return String.format(
        Locale.ROOT,
        "| %s | %.2f | %s | %d of %d | %s | %s | %s |%n",
        score,
        mean(own),
        interval(own),
        above(own),
        own.size(),
        score.equals(RANDOM) ? "" : above(ahead) + " of " + ahead.size(),
        score.equals(BASELINE) ? "" : String.format(Locale.ROOT, "%.2f", mean(gain)),
        score.equals(BASELINE) ? "" : interval(gain));
  }

  private Map<Cell, Double> cells(String score) {
    ImmutableMap.Builder<Cell, Double> cells = ImmutableMap.builder();
    for (Correlation own : correlations) {
      OptionalDouble value = own.value();
      if (own.score().equals(score) && value.isPresent()) {
        cells.put(Cell.of(own), value.getAsDouble());
      }
    }
    return cells.buildOrThrow();
  }

  private static Map<Cell, Double> difference(Map<Cell, Double> own, Map<Cell, Double> other) {
    ImmutableMap.Builder<Cell, Double> difference = ImmutableMap.builder();
    own.forEach(
        (cell, value) -> {
          Double theirs = other.get(cell);
          if (theirs != null) {
            difference.put(cell, value - theirs);
          }
        });
    return difference.buildOrThrow();
  }

  private static long above(Map<Cell, Double> values) {
    return values.values().stream().filter(value -> value > 0).count();
  }

  private static double mean(Map<Cell, Double> values) {
    return mean(clusters(values));
  }

  /** Returns the mean over kinds, each the mean over its networks, each that over its widths. */
  private static double mean(List<double[]> clusters) {
    return clusters.stream()
        .mapToDouble(networks -> Arrays.stream(networks).average().orElse(0))
        .average()
        .orElse(Double.NaN);
  }

  /** Returns, for each kind, a mean over the widths for each seed. */
  private static List<double[]> clusters(Map<Cell, Double> values) {
    return values.keySet().stream()
        .map(Cell::subject)
        .distinct()
        .map(
            subject ->
                values.keySet().stream()
                    .filter(cell -> cell.subject().equals(subject))
                    .mapToLong(Cell::seed)
                    .distinct()
                    .mapToDouble(seed -> meanOver(values, subject, seed))
                    .toArray())
        .toList();
  }

  private static double meanOver(Map<Cell, Double> values, String subject, long seed) {
    return values.entrySet().stream()
        .filter(own -> own.getKey().subject().equals(subject) && own.getKey().seed() == seed)
        .mapToDouble(Map.Entry::getValue)
        .average()
        .orElse(0);
  }

  private static String interval(Map<Cell, Double> values) {
    List<double[]> clusters = clusters(values);
    if (clusters.isEmpty()) {
      return "–";
    }
    Random random = new Random(1);
    double[] means = new double[RESAMPLINGS];
    for (int i = 0; i < RESAMPLINGS; i++) {
      double sum = 0;
      for (int c = 0; c < clusters.size(); c++) {
        double[] networks = clusters.get(random.nextInt(clusters.size()));
        for (int n = 0; n < networks.length; n++) {
          sum += networks[random.nextInt(networks.length)] / networks.length;
        }
      }
      means[i] = sum / clusters.size();
    }
    Arrays.sort(means);
    return String.format(
        Locale.ROOT,
        "%.2f to %.2f",
        means[RESAMPLINGS / 40],
        means[RESAMPLINGS - 1 - RESAMPLINGS / 40]);
  }
}
