package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import com.google.common.math.Stats;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Function;

/** What {@link ScoreStudy} finds, as tables of one line per score. */
record ScoreTable(ImmutableList<Correlation> correlations) {
  /**
   * How well a score orders the layers of one trained network.
   *
   * @param subject kind of network and data
   * @param layers with weights
   * @param seed of split, initial weights and batches
   * @param bits of a rounded layer
   * @param score its name
   * @param value Spearman's correlation with what is measured; empty if one of the two is the same
   *     for all layers
   */
  record Correlation(
      String subject, int layers, long seed, int bits, String score, OptionalDouble value) {}

  /**
   * Returns the table of all scores of the trials.
   *
   * @param measured what they are compared with: the growth of the loss or the divergence
   */
  static ScoreTable of(List<ScoreTrial> trials, Function<ScoreTrial, List<Double>> measured) {
    return new ScoreTable(
        trials.stream()
            .flatMap(trial -> trial.correlations(measured.apply(trial)).stream())
            .collect(ImmutableList.toImmutableList()));
  }

  /** Returns the same over all widths, side by side. */
  ScoreSummary summary() {
    return new ScoreSummary(correlations);
  }

  /** Returns one Markdown table per width: means ± sample standard deviation over the seeds. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    for (int bits : distinct(Correlation::bits)) {
      text.append(String.format(Locale.ROOT, "%n### %d bits%n%n", bits));
      head(text);
      for (String score : distinct(Correlation::score)) {
        text.append("| ").append(score);
        List<Correlation> own =
            correlations.stream().filter(c -> c.bits() == bits && c.score().equals(score)).toList();
        for (String subject : distinct(Correlation::subject)) {
          text.append(" | ")
              .append(spread(own.stream().filter(c -> c.subject().equals(subject)).toList()));
        }
        text.append(" | ").append(spread(own)).append(" |\n");
      }
    }
    return text.toString();
  }

  private void head(StringBuilder text) {
    ImmutableSet<String> subjects = distinct(Correlation::subject);
    text.append("| score");
    for (String subject : subjects) {
      int layers =
          correlations.stream()
              .filter(c -> c.subject().equals(subject))
              .mapToInt(Correlation::layers)
              .findFirst()
              .orElseThrow();
      text.append(" | ").append(subject).append(", ").append(layers).append(" layers");
    }
    text.append(" | all |\n|").append("---|".repeat(subjects.size() + 2)).append('\n');
  }

  private <T> ImmutableSet<T> distinct(Function<Correlation, T> part) {
    return correlations.stream().map(part).collect(ImmutableSet.toImmutableSet());
  }

  private static String spread(List<Correlation> some) {
    List<Double> known =
        some.stream().filter(c -> c.value().isPresent()).map(c -> c.value().getAsDouble()).toList();
    if (known.isEmpty()) {
      return "–";
    }
    Stats stats = Stats.of(known);
    double deviation = known.size() > 1 ? stats.sampleStandardDeviation() : 0;
    return String.format(Locale.ROOT, "%.2f ± %.2f", stats.mean(), deviation);
  }
}
