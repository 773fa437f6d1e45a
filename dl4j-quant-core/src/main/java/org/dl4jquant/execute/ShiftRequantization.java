package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ScalarFunction;

/** Fixed point to fixed point: shifts right with rounding, then saturates. */
final class ShiftRequantization implements Requantization {
  private static final int MAX_FAST_BITS = 31;
  private static final int MAX_FAST_SHIFT = 30;

  private final ExactRounding rounding;
  private final int[] shifts;
  private final int[] lowest;
  private final int[] highest;
  private final boolean small;

  /**
   * @param from the fractional lengths of the sums
   * @param bits the width that all sums fit
   */
  ShiftRequantization(
      ImmutableIntArray from,
      ImmutableList<UniformFormat> to,
      ScalarFunction clip,
      Rounding rounding,
      int bits) {
    int channels = from.length();
    this.rounding = ExactRounding.of(rounding);
    shifts = new int[channels];
    lowest = new int[channels];
    highest = new int[channels];
    small = bits <= MAX_FAST_BITS;
    for (int c = 0; c < channels; c++) {
      FixedPointFormat format = (FixedPointFormat) to.get(c);
      shifts[c] = from.get(c) - format.fractionalLength();
      lowest[c] = (int) format.quantize(clip.lowest(), rounding);
      highest[c] = (int) format.quantize(clip.highest(), rounding);
    }
  }

  @Override
  public void channel(int c, int[] sums, int[] codes, int from, int to) {
    int shift = shifts[c];
    if (small && shift >= 0 && shift <= MAX_FAST_SHIFT) {
      int addend = shift == 0 ? 0 : (int) rounding.addend(shift);
      int mask = shift == 0 ? 0 : rounding.tieMask();
      VectorLoops.requantize(sums, codes, from, to, shift, addend, mask, lowest[c], highest[c]);
      return;
    }
    for (int i = from; i < to; i++) {
      codes[i] = code(sums[i], c);
    }
  }

  @Override
  public void channel(int c, long[] sums, int[] codes, int from, int to) {
    for (int i = from; i < to; i++) {
      codes[i] = code(sums[i - from], c);
    }
  }

  @Override
  public int code(long sum, int c) {
    if (shifts[c] >= 0) {
      long rounded = rounding.shiftRight(sum, shifts[c]);
      return (int) Math.max(lowest[c], Math.min(highest[c], rounded));
    }
    if (sum == 0) {
      return 0;
    }
    if (sum >= highest[c] || sum <= lowest[c]) {
      return sum > 0 ? highest[c] : lowest[c];
    }
    long shifted = sum << Math.min(-shifts[c], 40);
    return (int) Math.max(lowest[c], Math.min(highest[c], shifted));
  }
}
