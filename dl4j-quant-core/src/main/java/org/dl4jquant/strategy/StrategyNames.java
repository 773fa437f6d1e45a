package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Doubles;
import org.dl4jquant.internal.Checks;

/** The names of the format strategies. */
final class StrategyNames {
  static final ImmutableList<String> KNOWN =
      ImmutableList.of(
          "max-abs", "percentile", "sigma", "mse", "kl", "pdf", ChannelStatistics.NAME, "auto");
  static final double DEFAULT_PERCENT = 99.99;
  private static final double DEFAULT_SIGMAS = 4;

  private StrategyNames() {}

  static FormatStrategy parse(String name) {
    String[] parts = name.split(":", 2);
    return switch (parts[0]) {
      case "percentile" -> FormatStrategy.percentile(number(name, parts, DEFAULT_PERCENT));
      case "sigma" -> FormatStrategy.meanPlusSigmas(number(name, parts, DEFAULT_SIGMAS));
      default -> withoutNumber(name);
    };
  }

  private static FormatStrategy withoutNumber(String name) {
    return switch (name) {
      case "max-abs" -> FormatStrategy.maxAbs();
      case "mse" -> FormatStrategy.minMse();
      case "kl" -> FormatStrategy.klDivergence();
      case "auto" -> FormatStrategy.automatic();
      case ChannelStatistics.NAME -> FormatStrategy.channelStatistics();
      case ChannelStatistics.NAME + ":laplace" -> FormatStrategy.channelStatisticsLaplace();
      case "pdf" -> FormatStrategy.pdfAware();
      case "pdf:kurtosis" -> FormatStrategy.pdfByKurtosis();
      case "pdf:refined" -> FormatStrategy.pdfRefined();
      default -> throw unknown(name);
    };
  }

  private static double number(String name, String[] parts, double usual) {
    if (parts.length == 1) {
      return usual;
    }
    Double number = Doubles.tryParse(parts[1]);
    if (number == null) {
      throw unknown(name);
    }
    return number;
  }

  private static IllegalArgumentException unknown(String name) {
    return Checks.violated(
        "strategy",
        "be one of "
            + String.join(", ", KNOWN)
            + ", or as percentile:99.9, sigma:6, pdf:kurtosis, pdf:refined or"
            + " channel-statistics:laplace",
        "'" + name + "'");
  }
}
