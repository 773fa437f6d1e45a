package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.tensor.QuantizedTensor;

/** The bias of a sum as a tensor of its own. */
final class BiasCodes {
  private BiasCodes() {}

  /**
   * Returns the bias with a code and a fractional length per channel: codes on the grids of the
   * sums without the zero bits at their ends, so that they are as narrow as the biases were made.
   */
  static QuantizedTensor of(QuantizedWeights weights) {
    AccumulatorFormat.FixedPoint grid = (AccumulatorFormat.FixedPoint) weights.accumulator();
    int channels = grid.channels();
    int[] codes = new int[channels];
    int[] lengths = new int[channels];
    int bits = Short.SIZE;
    for (int c = 0; c < channels; c++) {
      long code = weights.bias().get(c);
      int zeros = code == 0 ? 0 : Long.numberOfTrailingZeros(code);
      codes[c] = Math.toIntExact(code >> zeros);
      lengths[c] = grid.fractionalLengths().get(c) - zeros;
      bits = Math.max(bits, Integer.SIZE + 1 - Integer.numberOfLeadingZeros(Math.abs(codes[c])));
    }
    ImmutableList.Builder<FixedPointFormat> formats = ImmutableList.builder();
    for (int length : lengths) {
      formats.add(FixedPointFormat.signed(bits, length));
    }
    return QuantizedTensor.of(codes, Granularity.perChannel(0), formats.build(), channels);
  }
}
