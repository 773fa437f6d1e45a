package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;

/** Makes codes of means, rounded once and saturated; all codes count from the zero point. */
interface Quotient {
  /** Returns exact quotients where all is fixed point. */
  static Quotient of(
      ImmutableList<UniformFormat> from, ImmutableList<UniformFormat> to, Rounding rounding) {
    boolean exact =
        from.stream().allMatch(FixedPointFormat.class::isInstance)
            && to.stream().allMatch(FixedPointFormat.class::isInstance);
    return exact ? ExactQuotient.of(from, to, rounding) : new ScaledQuotient(from, to, rounding);
  }

  /**
   * Returns the code of a mean.
   *
   * @param sum of {@code count} codes of at most 16 bits
   * @param count at most 2^22
   */
  int code(long sum, int count, int channel);

  /** Returns the code of a sum of at most 2^22 codes, not divided. */
  int code(long sum, int channel);
}
