package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.PdfClassifier;
import org.dl4jquant.strategy.PdfFamily;

/** How near ways to choose a fractional length come to the best one, as Markdown. */
final class PdfTable {
  private static final int CONFUSION_WIDTH = 8;

  private final PdfClassifier classifier;
  private final StringBuilder rows = new StringBuilder();
  private final StringBuilder matrices = new StringBuilder();

  PdfTable(PdfClassifier classifier) {
    this.classifier = classifier;
  }

  private record Way(String name, ToIntFunction<PdfSample> length) {}

  /** Adds samples of one origin. */
  void add(String origin, List<PdfSample> samples) {
    ImmutableList<Way> ways =
        ImmutableList.of(
            new Way("classifier", s -> s.length(classifier.family(s.features()))),
            new Way("nearest kurtosis", s -> s.length(s.nearestKurtosis())),
            new Way("best family", s -> s.length(s.label())),
            new Way("always normal", s -> s.length(PdfFamily.NORMAL)),
            new Way("always Laplace", s -> s.length(PdfFamily.LAPLACE)),
            new Way("range rule", PdfSample::widest),
            new Way("search of the histogram (mse)", s -> s.length(FormatStrategy.minMse())));
    for (int bits : samples.stream().mapToInt(PdfSample::bitWidth).distinct().toArray()) {
      List<PdfSample> own = samples.stream().filter(s -> s.bitWidth() == bits).toList();
      for (Way way : ways) {
        rows.append(row(origin, bits, way, own));
      }
      if (bits == CONFUSION_WIDTH) {
        matrices.append(confusion(origin, own));
      }
    }
  }

  private static String row(String origin, int bits, Way way, List<PdfSample> samples) {
    double agreement =
        samples.stream().filter(s -> s.isBest(way.length().applyAsInt(s))).count()
            / (double) samples.size();
    double[] losses =
        samples.stream().mapToDouble(s -> s.loss(way.length().applyAsInt(s))).sorted().toArray();
    double mean = Arrays.stream(losses).average().orElseThrow();
    return String.format(
        Locale.ROOT,
        "| %s | %d | %d | %s | %.1f %% | %.2f | %.1f |%n",
        origin,
        bits,
        samples.size(),
        way.name(),
        100 * agreement,
        mean,
        losses[losses.length - 1]);
  }

  private String confusion(String origin, List<PdfSample> samples) {
    Map<List<PdfFamily>, Long> counts =
        samples.stream()
            .collect(
                Collectors.groupingBy(
                    s -> List.of(s.label(), classifier.family(s.features())),
                    Collectors.counting()));
    PdfFamily[] families = PdfFamily.values();
    StringBuilder matrix = new StringBuilder("\n" + origin + ", 8 bits:\n\n| best family |");
    for (PdfFamily family : families) {
      matrix.append(' ').append(family).append(" |");
    }
    matrix.append("\n|---|").append("---|".repeat(families.length)).append('\n');
    for (PdfFamily best : families) {
      matrix.append("| ").append(best).append(" |");
      for (PdfFamily named : families) {
        matrix.append(' ').append(counts.getOrDefault(List.of(best, named), 0L)).append(" |");
      }
      matrix.append('\n');
    }
    return matrix.toString();
  }

  String markdown() {
    return "| channels | bits | samples | choice | agreement | mean loss, dB | worst, dB |\n"
        + "|---|---|---|---|---|---|---|\n"
        + rows
        + matrices;
  }
}
