package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ScalarFunction;

/**
 * Turns exact sums, channel by channel, into codes, counted from the zero point. A function that
 * clips only narrows the saturation.
 */
interface Requantization {
  /**
   * Returns a shift where all is fixed point, else a multiplication.
   *
   * @param bits the width that all sums fit
   */
  static Requantization of(
      AccumulatorFormat from,
      ImmutableList<UniformFormat> to,
      ScalarFunction clip,
      Rounding rounding,
      int bits) {
    return from instanceof AccumulatorFormat.FixedPoint grid
            && to.stream().allMatch(FixedPointFormat.class::isInstance)
        ? new ShiftRequantization(grid.fractionalLengths(), to, clip, rounding, bits)
        : new ScaledRequantization(from, to, clip, rounding);
  }

  /** Returns what the sums are if they are the codes of these formats. */
  static AccumulatorFormat grid(ImmutableList<UniformFormat> formats) {
    if (formats.stream().allMatch(FixedPointFormat.class::isInstance)) {
      ImmutableIntArray.Builder lengths = ImmutableIntArray.builder();
      formats.forEach(each -> lengths.add(((FixedPointFormat) each).fractionalLength()));
      return new AccumulatorFormat.FixedPoint(lengths.build());
    }
    return new AccumulatorFormat.Affine(
        ImmutableDoubleArray.copyOf(formats.stream().mapToDouble(UniformFormat::step)));
  }

  /** Makes codes of sums of one channel; both arrays may be the same. */
  void channel(int c, int[] sums, int[] codes, int from, int to);

  /** Makes codes of 64-bit sums of one channel; {@code sums[0]} belongs to {@code codes[from]}. */
  void channel(int c, long[] sums, int[] codes, int from, int to);

  /** Makes codes of sums, index i of channel i; both arrays may be the same. */
  default void features(int[] sums, int[] codes, int from, int to) {
    for (int c = from; c < to; c++) {
      codes[c] = code(sums[c], c);
    }
  }

  /** See {@link #features(int[], int[], int, int)}; {@code sums[0]} is of channel {@code from}. */
  default void features(long[] sums, int[] codes, int from, int to) {
    for (int c = from; c < to; c++) {
      codes[c] = code(sums[c - from], c);
    }
  }

  /** Returns the code of one sum of channel {@code c}. */
  int code(long sum, int c);
}
