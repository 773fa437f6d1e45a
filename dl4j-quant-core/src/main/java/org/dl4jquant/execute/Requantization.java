package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ScalarFunction;

/**
 * Turns exact sums, channel by channel, into codes: shift right with rounding, then saturate. A
 * function that clips only narrows the saturation.
 */
final class Requantization {
  private static final int MAX_FAST_BITS = 31;
  private static final int MAX_FAST_SHIFT = 30;

  private final ExactRounding rounding;
  private final int[] shifts;
  private final int[] lowest;
  private final int[] highest;
  private final int[] addends;
  private final int[] masks;
  private final boolean fast;

  /**
   * @param from the fractional lengths of the sums
   * @param bits the width that all sums fit
   */
  Requantization(
      int[] from,
      ImmutableList<FixedPointFormat> to,
      ScalarFunction clip,
      Rounding rounding,
      int bits) {
    int channels = from.length;
    this.rounding = ExactRounding.of(rounding);
    shifts = new int[channels];
    lowest = new int[channels];
    highest = new int[channels];
    addends = new int[channels];
    masks = new int[channels];
    boolean small = bits <= MAX_FAST_BITS;
    for (int c = 0; c < channels; c++) {
      FixedPointFormat format = to.get(c);
      shifts[c] = from[c] - format.fractionalLength();
      lowest[c] = (int) format.quantize(clip.lowest(), rounding);
      highest[c] = (int) format.quantize(clip.highest(), rounding);
      small &= shifts[c] >= 0 && shifts[c] <= MAX_FAST_SHIFT;
      if (shifts[c] > 0 && shifts[c] <= MAX_FAST_SHIFT) {
        addends[c] = (int) this.rounding.addend(shifts[c]);
        masks[c] = this.rounding.tieMask();
      }
    }
    fast = small;
  }

  int channels() {
    return shifts.length;
  }

  /** Writes the codes of {@code channels()} sums from {@code sums[from]} to {@code codes[to]}. */
  void apply(int[] sums, int from, int[] codes, int to) {
    if (!fast) {
      for (int c = 0; c < shifts.length; c++) {
        codes[to + c] = code(sums[from + c], c);
      }
      return;
    }
    row(sums, from, codes, to, shifts, addends, masks, lowest, highest);
  }

  private static void row(
      int[] sums,
      int from,
      int[] codes,
      int to,
      int[] shifts,
      int[] addends,
      int[] masks,
      int[] lowest,
      int[] highest) {
    for (int c = 0; c < shifts.length; c++) {
      int sum = sums[from + c];
      int shift = shifts[c];
      int rounded = (sum + addends[c] + ((sum >> shift) & masks[c])) >> shift;
      codes[to + c] = Math.max(lowest[c], Math.min(highest[c], rounded));
    }
  }

  /** See {@link #apply(int[], int, int[], int)}. */
  void apply(long[] sums, int from, int[] codes, int to) {
    for (int c = 0; c < shifts.length; c++) {
      codes[to + c] = code(sums[from + c], c);
    }
  }

  /** Returns the code of one sum of channel {@code c}. */
  int code(long sum, int c) {
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
