package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Multimaps;
import com.google.common.math.Stats;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Trials as Markdown: mean ± sample standard deviation over the seeds. */
record AccuracyTable(ImmutableList<AccuracyTrial> trials) {
  private record Line(String data, String network, String setting) {
    static Line of(AccuracyTrial trial) {
      return new Line(trial.data(), trial.network(), trial.setting());
    }
  }

  private static final String HEAD =
      """
      | data | network | setting | seeds | float accuracy | in integers | points lost | most lost \
      | logit SQNR, dB |
      |---|---|---|---|---|---|---|---|---|
      """;

  private static final String MEANS =
      """

      Over all networks and seeds:

      | setting | trials | points lost | most lost | logit SQNR, dB |
      |---|---|---|---|---|
      """;

  /** Returns a table of each network and setting, and one of each setting over all networks. */
  String markdown() {
    String lines =
        Multimaps.index(trials, Line::of).asMap().entrySet().stream()
            .map(entry -> line(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining());
    String means =
        Multimaps.index(trials, AccuracyTrial::setting).asMap().entrySet().stream()
            .map(entry -> mean(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining());
    return HEAD + lines + MEANS + means;
  }

  private static String line(Line line, Collection<AccuracyTrial> seeds) {
    return "| "
        + String.join(
            " | ",
            line.data(),
            line.network(),
            line.setting(),
            String.valueOf(seeds.size()),
            spread(seeds, trial -> 100 * trial.floatAccuracy(), 2),
            spread(seeds, trial -> 100 * trial.accuracy(), 2),
            spread(seeds, AccuracyTrial::pointsLost, 2),
            most(seeds),
            spread(seeds, AccuracyTrial::logitSqnrDb, 1))
        + " |\n";
  }

  private static String mean(String setting, Collection<AccuracyTrial> all) {
    return "| "
        + String.join(
            " | ",
            setting,
            String.valueOf(all.size()),
            spread(all, AccuracyTrial::pointsLost, 2),
            most(all),
            spread(all, AccuracyTrial::logitSqnrDb, 1))
        + " |\n";
  }

  private static String most(Collection<AccuracyTrial> trials) {
    double most = trials.stream().mapToDouble(AccuracyTrial::pointsLost).max().orElseThrow();
    return String.format(Locale.ROOT, "%.2f", most);
  }

  private static String spread(
      Collection<AccuracyTrial> trials, ToDoubleFunction<AccuracyTrial> value, int digits) {
    Stats stats = List.copyOf(trials).stream().map(value::applyAsDouble).collect(Stats.toStats());
    double deviation = trials.size() > 1 ? stats.sampleStandardDeviation() : 0;
    String form = "%." + digits + "f";
    return String.format(Locale.ROOT, form + " ± " + form, stats.mean(), deviation);
  }
}
