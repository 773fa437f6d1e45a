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
              + " --validation file or --average-bits: 4).")
  private @Nullable Integer lowBits;

  @Option(
      names = "--max-drop",
      paramLabel = "SHARE",
      description = "The accuracy that the search may give away (default: 0.01).")
  private @Nullable Double maxDrop;

  @Option(
      names = "--average-bits",
      paramLabel = "N",
      description =
          "In place of --validation, with nothing measured: lower the first layers of the ranking"
              + " until a weight has at most N bits on average (default: none).")
  private @Nullable Double averageBits;

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
              + " the least noise. Needs --validation or --average-bits.")
  private @Nullable Path statistics;

  private SearchOptions() {}

  /** Returns whether accuracy is to be measured. */
  boolean isWanted() {
    return ranks() && averageBits == null;
  }

  /** Returns whether layers are to be lowered, by measuring or by their ranking alone. */
  boolean ranks() {
    return lowBits != null || maxDrop != null || validation != null || averageBits != null;
  }

  /**
   * Checks the options together.
   *
   * @param bits of a weight where the search does not lower them
   * @param planned whether a plan states the bits, so that statistics are for the report alone
   */
  void check(CommandLine command, int bits, boolean planned) {
    if (statistics != null && !ranks() && !planned) {
      throw new ParameterException(
          command,
          "--statistics ranks the layers that get fewer bits, so it needs a --validation file to"
              + " search them, or --average-bits to lower them without measuring");
    }
    if (!ranks()) {
      return;
    }
    checkAverage(command, bits);
    if (lowBits() < MIN_BITS || lowBits() >= bits) {
      throw new ParameterException(
          command,
          "--low-bits must be between 2 and " + (bits - 1) + ", below --bits, found " + lowBits());
    }
    if (!(maxDrop() >= 0 && maxDrop() <= 1)) {
      throw new ParameterException(
          command, "--max-drop must be between 0 and 1, found " + maxDrop());
    }
    if (validation == null && averageBits == null) {
      throw new ParameterException(
          command,
          "--low-bits needs a --validation file to measure accuracy on, or --average-bits to do"
              + " without");
    }
  }

  private void checkAverage(CommandLine command, int bits) {
    if (averageBits == null) {
      return;
    }
    if (validation != null || maxDrop != null) {
      throw new ParameterException(
          command,
          "--average-bits does without measuring, so --validation and --max-drop must not be"
              + " given");
    }
    if (!(averageBits >= lowBits() && averageBits < bits)) {
      throw new ParameterException(
          command,
          "--average-bits must be between --low-bits, %d, and --bits, %d, found %s"
              .formatted(lowBits(), bits, averageBits));
    }
  }

  Optional<Double> averageBits() {
    return Optional.ofNullable(averageBits);
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
