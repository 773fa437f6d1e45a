package org.dl4jquant.calibrate;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Optional;
import java.util.TreeSet;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.BinnedTensorAccumulator;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.TensorProfile;

/**
 * What calibration saw, by the names of the graph's nodes.
 *
 * <p>A node has a profile if its value can need a number format of its own, or is a maximum, whose
 * mean is not that of what it is taken of. None have those that only move what they take (flatten
 * and so on), and sums that go straight into a clipping activation. The channels of a profile are
 * those of the graph's value, axis 1; there is one for all where their number is not known
 * beforehand.
 *
 * @param network the fingerprint of the network that was run
 * @param examples how many were seen and counted
 * @param leftOut how many more had features that are NaN or infinite
 * @param profiles by node, in the order of the graph
 * @param logarithms of what a ReLU gives, by node, if they were asked for
 * @param unmatchedMasks layers whose mask did not fit what they give, so that padding was counted
 * @param inputShapes the shapes of those inputs of which the network does not tell them, by name
 */
public record CalibrationResult(
    String network,
    long examples,
    long leftOut,
    ImmutableMap<String, TensorProfile> profiles,
    ImmutableMap<String, LogBins> logarithms,
    ImmutableList<String> unmatchedMasks,
    ImmutableMap<String, Shape> inputShapes) {
  /** With fewer examples a warning is given. */
  public static final int FEW_EXAMPLES = 32;

  public CalibrationResult {
    Checks.that(examples > 0, "examples", "be at least 1", examples);
    Checks.that(leftOut >= 0, "leftOut", "not be negative", leftOut);
  }

  /** Returns the profile of a node's value, if it has one. */
  public Optional<TensorProfile> profile(String node) {
    return Optional.ofNullable(profiles.get(node));
  }

  /** Returns the histogram of the logarithms of a node's value, if there is one. */
  public Optional<LogBins> logarithms(String node) {
    return Optional.ofNullable(logarithms.get(node));
  }

  /** Returns for each node that carried NaN or infinite values how many. */
  public ImmutableMap<String, Long> nonFinite() {
    ImmutableMap.Builder<String, Long> counts = ImmutableMap.builder();
    profiles.forEach(
        (node, profile) -> {
          if (profile.whole().moments().nonFinite() > 0) {
            counts.put(node, profile.whole().moments().nonFinite());
          }
        });
    return counts.buildOrThrow();
  }

  /** Returns what a user should know, as sentences; empty if all is well. */
  public ImmutableList<String> warnings() {
    ImmutableList.Builder<String> warnings = ImmutableList.builder();
    if (examples < FEW_EXAMPLES) {
      warnings.add(
          "calibration saw %s examples only; %s or more are recommended"
              .formatted(examples, FEW_EXAMPLES));
    }
    if (leftOut > 0) {
      warnings.add(
          "%s of %s calibration examples have features that are NaN or infinite; they were left out"
              .formatted(leftOut, Math.addExact(examples, leftOut)));
    }
    nonFinite()
        .forEach(
            (node, count) ->
                warnings.add(
                    "'%s' carried %s values that are NaN or infinite; they were left out"
                        .formatted(node, count)));
    profiles.forEach(
        (node, profile) -> {
          if (profile.whole().count() == 0) {
            warnings.add("'%s' carried no value that counts".formatted(node));
          }
        });
    unmatchedMasks.forEach(
        layer ->
            warnings.add(
                "the mask of '%s' does not fit its value; padding counted".formatted(layer)));
    return warnings.build();
  }

  /**
   * Returns what both saw together: exactly what one calibration over all the data gives, whatever
   * the parts.
   *
   * @throws IllegalArgumentException if the other is of another network, or of other shapes
   */
  public CalibrationResult combine(CalibrationResult other) {
    Checks.that(other.network.equals(network), "other", "be of network " + network, other.network);
    Checks.that(
        other.inputShapes.equals(inputShapes),
        "other",
        "have inputs of shapes " + inputShapes,
        other.inputShapes);
    ImmutableMap.Builder<String, TensorProfile> all = ImmutableMap.builder();
    profiles.forEach(
        (node, profile) ->
            all.put(
                node,
                BinnedTensorAccumulator.of(profile)
                    .combine(BinnedTensorAccumulator.of(other.profile(node).orElseThrow()))
                    .snapshot()));
    Checks.that(
        other.logarithms.keySet().equals(logarithms.keySet()),
        "other",
        "have the logarithms of " + logarithms.keySet(),
        other.logarithms.keySet());
    ImmutableMap.Builder<String, LogBins> bins = ImmutableMap.builder();
    logarithms.forEach(
        (node, own) -> bins.put(node, own.plus(other.logarithms(node).orElseThrow())));
    TreeSet<String> unmatched = new TreeSet<>(unmatchedMasks);
    unmatched.addAll(other.unmatchedMasks);
    return new CalibrationResult(
        network,
        Math.addExact(examples, other.examples),
        Math.addExact(leftOut, other.leftOut),
        all.buildOrThrow(),
        bins.buildOrThrow(),
        ImmutableList.copyOf(unmatched),
        inputShapes);
  }
}
