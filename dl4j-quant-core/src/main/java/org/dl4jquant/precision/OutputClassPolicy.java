package org.dl4jquant.precision;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.internal.Checks;

/**
 * The least width of an output layer, from its number of classes (US20240112030A1). Heads whose
 * classes no softmax couples, and heads of one class, have none. Immutable.
 *
 * @param rule how the width follows from the number of classes
 * @param margin bits on top of the rule; 0 to 16
 */
public record OutputClassPolicy(ClassWidth rule, int margin) {
  /** The bound of {@link ClassWidth#log2Bound} without a margin. */
  public static final OutputClassPolicy LOG2_BOUND =
      new OutputClassPolicy(ClassWidth.log2Bound(), 0);

  /** No bounds: every head gets the bits that are asked for. */
  public static final OutputClassPolicy NONE = new OutputClassPolicy(ClassWidth.none(), 0);

  public OutputClassPolicy {
    Checks.inRange("margin", margin, 0, 16);
  }

  /**
   * Returns the policy in the words of the claims: a width proportional to the number of classes,
   * in octaves.
   *
   * @see ClassWidth#proportional
   */
  public static OutputClassPolicy proportional(double offset, double bitsPerOctave) {
    return new OutputClassPolicy(ClassWidth.proportional(offset, bitsPerOctave), 0);
  }

  /** Returns this policy with another margin. */
  public OutputClassPolicy withMargin(int bits) {
    return new OutputClassPolicy(rule, bits);
  }

  /** Returns the bound of a head in bits, the margin included; 0 if it has none. */
  public int bound(OutputHead head) {
    return !head.coupled() || head.classes() == 1 ? 0 : rule.bits(head.classes()) + margin;
  }

  /** Returns the bound of a head, rounded up to 8, 16 or 32 bits; 0 if it has none. */
  public int bits(OutputHead head) {
    int bound = bound(head);
    if (bound == 0) {
      return 0;
    }
    return bound <= 8 ? 8 : bound <= 16 ? 16 : LayerPrecision.FLOAT_BITS;
  }

  /**
   * Returns the plan with every head that has fewer bits than its bound, in weights or output,
   * raised to {@link #bits}.
   */
  public PrecisionPlan raise(PrecisionPlan plan, List<OutputHead> heads) {
    PrecisionPlan raised = plan;
    for (OutputHead head : heads) {
      LayerPrecision precision = raised.of(head.layer());
      if (precision.weightBits() < bound(head)) {
        precision = precision.withWeightBits(bits(head));
      }
      if (precision.activationBits() < bound(head)) {
        precision = precision.withActivationBits(bits(head));
      }
      if (!precision.equals(raised.of(head.layer()))) {
        raised = raised.with(head.layer(), precision);
      }
    }
    return raised;
  }

  /** Returns why {@link #raise} changes a head, by layer; empty if it leaves the plan as it is. */
  public ImmutableMap<String, String> raised(PrecisionPlan plan, List<OutputHead> heads) {
    PrecisionPlan raised = raise(plan, heads);
    ImmutableMap.Builder<String, String> reasons = ImmutableMap.builder();
    for (OutputHead head : heads) {
      LayerPrecision asked = plan.of(head.layer());
      LayerPrecision given = raised.of(head.layer());
      List<String> changes = new ArrayList<>();
      if (given.weightBits() != asked.weightBits()) {
        changes.add(
            "weights %d bits instead of %d".formatted(given.weightBits(), asked.weightBits()));
      }
      if (given.activationBits() != asked.activationBits()) {
        changes.add(
            "output %d bits instead of %d"
                .formatted(given.activationBits(), asked.activationBits()));
      }
      if (!changes.isEmpty()) {
        reasons.put(
            head.layer(),
            "%s: its %d classes ask for %d"
                .formatted(String.join(", ", changes), head.classes(), bound(head)));
      }
    }
    return reasons.buildKeepingLast();
  }

  /** Returns the bounds of the heads that have one, by layer. */
  public ImmutableMap<String, Integer> bounds(List<OutputHead> heads) {
    ImmutableMap.Builder<String, Integer> bounds = ImmutableMap.builder();
    for (OutputHead head : heads) {
      if (bound(head) > 0) {
        bounds.put(head.layer(), bound(head));
      }
    }
    return bounds.buildOrThrow();
  }

  /** Returns the heads whose bound exceeds {@code lowBits}, for {@link LayerRanking#rank}. */
  public ImmutableSet<String> ineligible(List<OutputHead> heads, int lowBits) {
    return heads.stream()
        .filter(head -> bound(head) > lowBits)
        .map(OutputHead::layer)
        .collect(ImmutableSet.toImmutableSet());
  }
}
