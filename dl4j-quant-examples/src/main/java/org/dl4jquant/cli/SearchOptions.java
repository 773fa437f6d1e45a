package org.dl4jquant.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which search for layers that tolerate few bits is wanted, if any. */
final class SearchOptions {
  /** The name of the option that {@link #output} gives. */
  static final String VALIDATION_OUTPUT = "--validation-output";

  private static final int MIN_BITS = 2;
  private static final int DEFAULT_LOW_BITS = 4;
  private static final double DEFAULT_MAX_DROP = 0.01;

  @Option(
      names = "--low-bits",
      paramLabel = "N",
      description =
          "Search the layers whose weights can go down to N bits (default, if there is a"
              + " --validation file: 4).")
  private @Nullable Integer lowBits;

  @Option(
      names = "--max-drop",
      paramLabel = "SHARE",
      description = "The accuracy that the search may give away (default: 0.01).")
  private @Nullable Double maxDrop;

  @Option(
      names = "--validation",
      paramLabel = "FILE",
      description =
          "Labeled data, as evaluate takes them, on which the search measures accuracy (default:"
              + " none, and no search).")
  private @Nullable String validation;

  @Option(
      names = VALIDATION_OUTPUT,
      paramLabel = "NAME",
      description =
          "The output that the labels of --validation are of, if the network has several (default:"
              + " the only one).")
  private @Nullable String output;

  @Option(
      names = "--statistics",
      paramLabel = "DIFFS.json",
      description =
          "Weight differences that a WeightDifferenceListener recorded in training; the layers that"
              + " moved least are tried first. Without it, those to whose weights the low bits add"
              + " the least noise.")
  private @Nullable Path statistics;

  private SearchOptions() {}

  /** Returns whether there is anything to search. */
  boolean isWanted() {
    return lowBits != null || maxDrop != null || validation != null;
  }

  /**
   * Checks the options together.
   *
   * @param bits of a weight where the search does not lower them
   */
  void check(CommandLine command, int bits) {
    if (!isWanted()) {
      return;
    }
    if (lowBits() < MIN_BITS || lowBits() >= bits) {
      throw new ParameterException(
          command,
          "--low-bits must be between 2 and " + (bits - 1) + ", below --bits, found " + lowBits());
    }
    if (!(maxDrop() >= 0 && maxDrop() <= 1)) {
      throw new ParameterException(
          command, "--max-drop must be between 0 and 1, found " + maxDrop());
    }
    if (validation == null) {
      throw new ParameterException(
          command, "--low-bits needs a --validation file to measure accuracy on");
    }
  }

  int lowBits() {
    return lowBits == null ? DEFAULT_LOW_BITS : lowBits;
  }

  double maxDrop() {
    return maxDrop == null ? DEFAULT_MAX_DROP : maxDrop;
  }

  Optional<String> validation() {
    return Optional.ofNullable(validation);
  }

  Optional<String> output() {
    return Optional.ofNullable(output);
  }

  Optional<Path> statistics() {
    return Optional.ofNullable(statistics);
  }
}
