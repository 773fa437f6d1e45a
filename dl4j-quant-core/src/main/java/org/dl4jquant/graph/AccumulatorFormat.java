package org.dl4jquant.graph;

import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.internal.Checks;

/** What the exact sums of a weighted operation stand for, one entry per output channel. */
public sealed interface AccumulatorFormat {
  /** Returns the number of output channels. */
  int channels();

  /** Returns the real value of one step of an output channel's sum. */
  double scale(int outputChannel);

  /** Sums on power-of-two grids: {@code value = sum * 2^-fractionalLength}. */
  record FixedPoint(ImmutableIntArray fractionalLengths) implements AccumulatorFormat {
    @Override
    public int channels() {
      return fractionalLengths.length();
    }

    @Override
    public double scale(int outputChannel) {
      return Math.scalb(1.0, -fractionalLengths.get(outputChannel));
    }
  }

  /**
   * Sums of products of affine codes: {@code value = sum * scale}.
   *
   * @param scales one per output channel: the product, in float, of the scales of input and weight;
   *     each a positive normal float
   */
  record Affine(ImmutableDoubleArray scales) implements AccumulatorFormat {
    public Affine {
      scales.forEach(
          scale ->
              Checks.that(
                  scale >= Float.MIN_NORMAL && scale == (float) scale && Double.isFinite(scale),
                  "scales",
                  "be normal floats",
                  scale));
    }

    @Override
    public int channels() {
      return scales.length();
    }

    @Override
    public double scale(int outputChannel) {
      return scales.get(outputChannel);
    }
  }
}
