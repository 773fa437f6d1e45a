package org.dl4jquant.examples;

import com.google.common.collect.Multimaps;
import com.google.common.math.Stats;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * One trained network, rounded to few bits and fine-tuned; accuracies on the test split.
 *
 * @param data the name of the data set
 * @param network the kind of network
 * @param seed of split, initial weights and batches
 * @param setting which bits
 * @param floatAccuracy as DL4J computes
 * @param rounded in integers, without fine-tuning
 * @param tuned in integers, after it
 * @param averageBits of a weight
 */
record FineTuningTrial(
    String data,
    String network,
    long seed,
    String setting,
    double floatAccuracy,
    double rounded,
    double tuned,
    double averageBits) {
  private static final String HEAD =
      """
      | setting | data | network | seeds | bits per weight | float accuracy | points lost, rounded \
      | points lost, fine-tuned | most lost |
      |---|---|---|---|---|---|---|---|---|
      """;

  private record Line(String setting, String data, String network) {}

  boolean isOf(IntegerAccuracyStudy.Subject subject, long otherSeed, String otherSetting) {
    return data.equals(subject.data())
        && network.equals(subject.network())
        && seed == otherSeed
        && setting.equals(otherSetting);
  }

  private double lost(double accuracy) {
    return 100 * (floatAccuracy - accuracy);
  }

  /** Returns a Markdown table: means ± sample standard deviation over the seeds. */
  static String table(List<FineTuningTrial> trials) {
    StringBuilder table = new StringBuilder(HEAD);
    Multimaps.index(trials, t -> new Line(t.setting(), t.data(), t.network()))
        .asMap()
        .forEach((line, seeds) -> table.append(row(line, seeds)));
    Multimaps.index(trials, t -> new Line(t.setting(), "all", ""))
        .asMap()
        .forEach((line, seeds) -> table.append(row(line, seeds)));
    return table.toString();
  }

  private static String row(Line line, Collection<FineTuningTrial> seeds) {
    double most = seeds.stream().mapToDouble(t -> t.lost(t.tuned())).max().orElseThrow();
    return String.format(
        Locale.ROOT,
        "| %s | %s | %s | %d | %.2f | %s | %s | %s | %.2f |%n",
        line.setting(),
        line.data(),
        line.network(),
        seeds.size(),
        seeds.stream().mapToDouble(FineTuningTrial::averageBits).average().orElseThrow(),
        spread(seeds, t -> 100 * t.floatAccuracy()),
        spread(seeds, t -> t.lost(t.rounded())),
        spread(seeds, t -> t.lost(t.tuned())),
        most);
  }

  private static String spread(
      Collection<FineTuningTrial> trials, ToDoubleFunction<FineTuningTrial> value) {
    Stats stats = trials.stream().mapToDouble(value).boxed().collect(Stats.toStats());
    double deviation = trials.size() > 1 ? stats.sampleStandardDeviation() : 0;
    return String.format(Locale.ROOT, "%.2f ± %.2f", stats.mean(), deviation);
  }
}
