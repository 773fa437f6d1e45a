package org.dl4jquant.update;

/**
 * How the coarse weight is read from the exact sum of all updates.
 *
 * <p>The state of one weight is its code W and a residual A in units of the residual's last digit,
 * with {@code V = W * 2^extraBits + A} the fine weight. A read-out moves whole steps from A to W;
 * all but the two memoryless ones keep V exactly, so the same updates give the same V in any order.
 */
public enum ReadOut {
  /**
   * Method C: as soon as |A| reaches the threshold, its whole multiples go to the weight, truncated
   * toward zero; the rest keeps its sign.
   */
  TRUNC_THRESHOLD,

  /**
   * Method D: weight digits and residual digits are one two's-complement integer, so W is the floor
   * and A is never negative. W lies on average half a step below V.
   */
  FLOOR,

  /**
   * Method D, rounded: W is V to the nearest step, ties upwards; |A| is at most half a step. This
   * is the Kahan-summed gradient descent of the paper.
   */
  NEAREST,

  /**
   * Method C as the hardware does it: the bits of A that overlap the weight are added to it and
   * then replaced by A's sign bit. Equal to {@link #TRUNC_THRESHOLD} but for exact negative
   * multiples of the threshold: of -2 steps only one is applied, and of -1 step none ever is.
   */
  BIT_EXACT,

  /**
   * For comparison only: each update is rounded by itself and its remainder thrown away, so updates
   * below half a step are lost.
   */
  NAIVE_ROUNDING,

  /**
   * For comparison only: each update is rounded up or down by chance, right on average, and its
   * remainder thrown away. The chance depends on the rule's seed, the step and the element alone.
   */
  STOCHASTIC_ROUNDING;

  /** Returns whether the remainder of an update survives the step. */
  public boolean keepsResidual() {
    return this != NAIVE_ROUNDING && this != STOCHASTIC_ROUNDING;
  }

  /** Returns whether the threshold may be other than one step of the weight. */
  boolean hasThreshold() {
    return this == TRUNC_THRESHOLD || this == BIT_EXACT;
  }

  /** Returns whether W and A are the high and low digits of one number, as in method D. */
  boolean concatenates() {
    return this == FLOOR || this == NEAREST;
  }

  /**
   * Returns what is added to a residual before it is divided by {@code 2^shift} and rounded down,
   * in addition to {@link #negativeBias}; that of {@link #STOCHASTIC_ROUNDING} is a random number
   * of {@code shift} bits instead.
   */
  long bias(int shift) {
    return this == NEAREST || this == NAIVE_ROUNDING ? 1L << (shift - 1) : 0;
  }

  /** Returns what is added to a negative residual only. */
  long negativeBias(int shift) {
    return switch (this) {
      case TRUNC_THRESHOLD -> (1L << shift) - 1;
      case BIT_EXACT -> 1L << shift;
      default -> 0;
    };
  }
}
