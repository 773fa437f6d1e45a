package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Doubles;
import java.util.Optional;
import org.dl4jquant.internal.Checks;

/** The names of the format strategies. */
final class StrategyNames {
  static final ImmutableList<String> KNOWN =
      ImmutableList.of("max-abs", "percentile", "sigma", "mse", "kl");
  private static final double DEFAULT_PERCENT = 99.99;
  private static final double DEFAULT_SIGMAS = 4;

  private StrategyNames() {}

  static FormatStrategy parse(String name) {
    String[] parts = name.split(":", 2);
    Optional<Double> number =
        parts.length == 2 ? Optional.of(number(name, parts[1])) : Optional.empty();
    return switch (parts[0]) {
      case "percentile" -> FormatStrategy.percentile(number.orElse(DEFAULT_PERCENT));
      case "sigma" -> FormatStrategy.meanPlusSigmas(number.orElse(DEFAULT_SIGMAS));
      default -> withoutNumber(name);
    };
  }

  private static FormatStrategy withoutNumber(String name) {
    return switch (name) {
      case "max-abs" -> FormatStrategy.maxAbs();
      case "mse" -> FormatStrategy.minMse();
      case "kl" -> FormatStrategy.klDivergence();
      default -> throw unknown(name);
    };
  }

  private static double number(String name, String digits) {
    Double number = Doubles.tryParse(digits);
    if (number == null) {
      throw unknown(name);
    }
    return number;
  }

  private static IllegalArgumentException unknown(String name) {
    return Checks.violated(
        "strategy",
        "be one of " + String.join(", ", KNOWN) + ", or as percentile:99.9 or sigma:6",
        "'" + name + "'");
  }
}
