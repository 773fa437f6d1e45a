package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.UniformFormat;

/** Uniform formats that hold the numbers of other formats exactly. */
final class IntegerFormats {
  private static final int MAX_BITS = 16;

  private IntegerFormats() {}

  /**
   * Returns the formats themselves if they are fixed point or affine; the narrowest ones with all
   * levels if they are codebooks whose levels fit 16 bits; else nothing.
   */
  static Optional<ImmutableList<NumberFormat>> of(List<NumberFormat> formats) {
    if (formats.stream().allMatch(UniformFormat.class::isInstance)) {
      return Optional.of(ImmutableList.copyOf(formats));
    }
    if (!formats.stream().allMatch(Codebook.class::isInstance)) {
      return Optional.empty();
    }
    int width = 2;
    int coarsest = FixedPointFormat.MAX_FRACTIONAL_LENGTH;
    int[] lengths = new int[formats.size()];
    boolean[] zero = new boolean[formats.size()];
    for (int c = 0; c < lengths.length; c++) {
      Codebook book = (Codebook) formats.get(c);
      double largest = Math.max(Math.abs(book.minValue()), Math.abs(book.maxValue()));
      zero[c] = largest == 0;
      if (!zero[c]) {
        lengths[c] =
            book.levels().stream().mapToInt(IntegerFormats::fractionalBits).max().getAsInt();
        coarsest = Math.min(coarsest, lengths[c]);
        width = Math.max(width, Math.getExponent(largest) + lengths[c] + 2);
      }
    }
    if (width > MAX_BITS) {
      return Optional.empty();
    }
    ImmutableList.Builder<NumberFormat> exact = ImmutableList.builder();
    for (int c = 0; c < lengths.length; c++) {
      int length = zero[c] ? Math.min(0, coarsest) : lengths[c];
      if (length < FixedPointFormat.MIN_FRACTIONAL_LENGTH
          || length > FixedPointFormat.MAX_FRACTIONAL_LENGTH) {
        return Optional.empty();
      }
      exact.add(FixedPointFormat.signed(width, length));
    }
    return Optional.of(exact.build());
  }

  /** Returns the smallest n for which {@code level * 2^n} is an integer; very small for zero. */
  private static int fractionalBits(double level) {
    if (level == 0) {
      return Integer.MIN_VALUE;
    }
    long significand = (Double.doubleToLongBits(level) & 0xfffffffffffffL) | 0x10000000000000L;
    return 52 - Long.numberOfTrailingZeros(significand) - Math.getExponent(level);
  }
}
