package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.internal.Checks;

/** The exact quotient {@code sum * 2^(out - in) / count} of fixed-point codes. */
final class ExactQuotient implements Quotient {
  private static final int MAX_SHIFT = 30;
  private static final int MAX_LEFT_SHIFT = 40;
  private static final int MAX_COUNT = 1 << 22;

  private final ExactRounding rounding;
  private final ImmutableList<FixedPointFormat> to;
  private final int[] shifts;

  private ExactQuotient(
      ImmutableList<FixedPointFormat> from, ImmutableList<FixedPointFormat> to, Rounding rounding) {
    this.rounding = ExactRounding.of(rounding);
    this.to = to;
    shifts = new int[from.size()];
    for (int c = 0; c < shifts.length; c++) {
      shifts[c] = to.get(c).fractionalLength() - from.get(c).fractionalLength();
    }
  }

  /** Returns the quotients of formats that are all fixed point. */
  static ExactQuotient of(
      ImmutableList<? extends UniformFormat> from,
      ImmutableList<? extends UniformFormat> to,
      Rounding rounding) {
    return new ExactQuotient(fixedPoint(from), fixedPoint(to), rounding);
  }

  private static ImmutableList<FixedPointFormat> fixedPoint(
      ImmutableList<? extends UniformFormat> formats) {
    return formats.stream().map(FixedPointFormat.class::cast).collect(toImmutableList());
  }

  @Override
  public int code(long sum, int count, int channel) {
    Checks.inRange("elements of a window", count, 1, MAX_COUNT);
    FixedPointFormat format = to.get(channel);
    int shift = shifts[channel];
    if (shift <= 0) {
      // |sum| / count <= 2^16, so that beyond 30 bits nothing is left.
      return shift < -MAX_SHIFT
          ? (int) format.saturate(0)
          : (int) format.saturate(rounding.divide(sum, (long) count << -shift));
    }
    if (shift > MAX_LEFT_SHIFT) {
      // 2^shift / count > 2^16: every sum but 0 is beyond all codes.
      return (int) format.saturate(Long.signum(sum) * (1L << 40));
    }
    // The quotient before the shift leaves a remainder; shifted, it is even and keeps ties right.
    long whole = Math.floorDiv(sum, (long) count);
    long remainder = sum - whole * count;
    return (int) format.saturate((whole << shift) + rounding.divide(remainder << shift, count));
  }

  @Override
  public int code(long sum, int channel) {
    FixedPointFormat format = to.get(channel);
    int shift = shifts[channel];
    if (shift <= 0) {
      return (int) format.saturate(rounding.shiftRight(sum, -shift));
    }
    boolean beyond = Math.abs(sum) > 1L << 16 || shift > 20;
    return (int) format.saturate(beyond ? Long.signum(sum) * (1L << 40) : sum << shift);
  }
}
