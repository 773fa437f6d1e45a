package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.tensor.QuantizedTensor;

/** The bias of a sum as a tensor of its own: a code and a fractional length per channel. */
final class BiasCodes {
  private BiasCodes() {}

  /** Returns the codes in the narrowest formats that hold them, 16 bits at least. */
  static QuantizedTensor of(QuantizedWeights weights) {
    AccumulatorFormat.FixedPoint grid = (AccumulatorFormat.FixedPoint) weights.accumulator();
    int channels = grid.channels();
    int[] codes = new int[channels];
    int bits = Short.SIZE;
    for (int c = 0; c < channels; c++) {
      long code = weights.bias().get(c);
      codes[c] = Math.toIntExact(code);
      bits = Math.max(bits, Long.SIZE + 1 - Long.numberOfLeadingZeros(Math.abs(code)));
    }
    ImmutableList.Builder<FixedPointFormat> formats = ImmutableList.builder();
    for (int c = 0; c < channels; c++) {
      formats.add(FixedPointFormat.signed(bits, grid.fractionalLengths().get(c)));
    }
    return QuantizedTensor.of(codes, Granularity.perChannel(0), formats.build(), channels);
  }
}
