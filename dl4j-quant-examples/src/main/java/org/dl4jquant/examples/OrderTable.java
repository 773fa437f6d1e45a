package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Multimaps;
import com.google.common.math.Stats;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.dl4jquant.examples.BudgetWalk.Reach;

/** How far each order of layers gets, in rows of one seed each, and over all seeds as Markdown. */
record OrderTable(ImmutableList<Row> rows) {
  /**
   * What the rows of all seeds share.
   *
   * @param network what it is
   * @param lowBits of a weight
   * @param statistic by which layers are ordered
   */
  record Setting(String network, int lowBits, String statistic) {}

  /**
   * One trained network at one low width.
   *
   * @param layers how many could be taken
   * @param floatAccuracy on the validation split
   * @param ascending by the statistic, as published
   * @param descending by the statistic
   * @param random the mean over random orders
   */
  record Row(
      Setting setting,
      int layers,
      double floatAccuracy,
      Reach ascending,
      Reach descending,
      Reach random) {}

  private static final String HEAD =
      """
      | network | float accuracy | layers | bits | reference | ascending | descending | random \
      | asc ≥ desc | asc ≥ random |
      |---|---|---|---|---|---|---|---|---|---|
      """;

  /**
   * Returns a table of layer counts and one of weight shares in percent: mean ± sample standard
   * deviation over seeds, and in how many seeds ascending order gets at least as far as the others.
   */
  String markdown() {
    return "Layers within the budget:\n\n"
        + HEAD
        + body(Reach::layers, "%.1f ± %.1f")
        + "\nShare of all weights in these layers, in percent:\n\n"
        + HEAD
        + body(reach -> 100 * reach.share(), "%.0f ± %.0f");
  }

  private String body(ToDoubleFunction<Reach> value, String format) {
    return Multimaps.index(rows, Row::setting).asMap().entrySet().stream()
        .map(entry -> line(entry.getKey(), List.copyOf(entry.getValue()), value, format))
        .collect(Collectors.joining());
  }

  private static String line(
      Setting setting, List<Row> seeds, ToDoubleFunction<Reach> value, String format) {
    Function<Function<Row, Reach>, String> spread =
        order -> spread(seeds, row -> value.applyAsDouble(order.apply(row)), format);
    return String.format(
        Locale.ROOT,
        "| %s | %s | %d | %d | %s | %s | %s | %s | %s | %s |\n",
        setting.network(),
        spread(seeds, row -> 100 * row.floatAccuracy(), "%.1f ± %.1f"),
        seeds.get(0).layers(),
        setting.lowBits(),
        setting.statistic(),
        spread.apply(Row::ascending),
        spread.apply(Row::descending),
        spread.apply(Row::random),
        count(seeds, row -> atLeast(row, Row::descending, value)),
        count(seeds, row -> atLeast(row, Row::random, value)));
  }

  private static boolean atLeast(
      Row row, Function<Row, Reach> order, ToDoubleFunction<Reach> value) {
    return value.applyAsDouble(row.ascending()) >= value.applyAsDouble(order.apply(row));
  }

  private static String count(List<Row> seeds, Predicate<Row> holds) {
    return seeds.stream().filter(holds).count() + " of " + seeds.size();
  }

  private static String spread(List<Row> seeds, ToDoubleFunction<Row> value, String format) {
    Stats stats = seeds.stream().map(value::applyAsDouble).collect(Stats.toStats());
    double deviation = seeds.size() > 1 ? stats.sampleStandardDeviation() : 0;
    return String.format(Locale.ROOT, format, stats.mean(), deviation);
  }
}
