package org.dl4jquant.graph;

import com.google.common.primitives.ImmutableIntArray;

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
}
