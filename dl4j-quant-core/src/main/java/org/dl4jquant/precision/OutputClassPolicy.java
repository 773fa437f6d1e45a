package org.dl4jquant.precision;

import com.google.common.collect.ImmutableSet;
import java.util.List;
import org.dl4jquant.internal.Checks;

/**
 * The least width of an output layer, from its number of classes (US20240112030A1): softmax and
 * cross entropy give errors whose magnitudes differ by {@code N - 1}, which one fixed-point scale
 * holds with {@code 1 + ceil(log2(N - 1))} bits.
 *
 * @param margin bits on top of the bound; 0 to 16
 */
public record OutputClassPolicy(int margin) {
  /** The bound without a margin. */
  public static final OutputClassPolicy LOG2_BOUND = new OutputClassPolicy(0);

  public OutputClassPolicy {
    Checks.inRange("margin", margin, 0, 16);
  }

  /** Returns the bound of a head in bits, the margin included; 0 if it has none. */
  public int bound(OutputHead head) {
    if (!head.coupled() || head.classes() == 1) {
      return 0;
    }
    int log = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(2, head.classes() - 1) - 1);
    return 1 + log + margin;
  }

  /** Returns the bound of a head, rounded up to 8, 16 or 32 bits; 0 if it has none. */
  public int bits(OutputHead head) {
    int bound = bound(head);
    if (bound == 0) {
      return 0;
    }
    return bound <= 8 ? 8 : bound <= 16 ? 16 : LayerPrecision.FLOAT_BITS;
  }

  /** Returns the plan with the weights of no head narrower than its bound. */
  public PrecisionPlan raise(PrecisionPlan plan, List<OutputHead> heads) {
    PrecisionPlan raised = plan;
    for (OutputHead head : heads) {
      LayerPrecision before = raised.of(head.layer());
      if (before.weightBits() < bits(head)) {
        raised = raised.with(head.layer(), before.withWeightBits(bits(head)));
      }
    }
    return raised;
  }

  /** Returns the heads whose bound exceeds {@code lowBits}, for {@link LayerRanking#rank}. */
  public ImmutableSet<String> ineligible(List<OutputHead> heads, int lowBits) {
    return heads.stream()
        .filter(head -> bound(head) > lowBits)
        .map(OutputHead::layer)
        .collect(ImmutableSet.toImmutableSet());
  }
}
