package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;

/** The bias of a sum as a tensor of its own. */
final class BiasCodes {
  private BiasCodes() {}

  /**
   * Returns the bias with a code and a format per channel: codes on the grids of the sums, of fixed
   * point without the zero bits at their ends, so that they are as narrow as the biases were made.
   */
  static QuantizedTensor of(QuantizedWeights weights) {
    return weights.accumulator() instanceof AccumulatorFormat.FixedPoint grid
        ? ofFixedPoint(weights, grid)
        : ofProducts(weights);
  }

  /** Codes in steps of the products, in the bits that all of them fit. */
  private static QuantizedTensor ofProducts(QuantizedWeights weights) {
    int channels = weights.accumulator().channels();
    int[] codes = new int[channels];
    int bits = Short.SIZE;
    for (int c = 0; c < channels; c++) {
      long code = weights.bias().get(c);
      Checks.that(code == (int) code, "bias of channel " + c, "fit 32 bits", code);
      codes[c] = (int) code;
      int magnitude = code < 0 ? ~codes[c] : codes[c];
      bits = Math.max(bits, Integer.SIZE + 1 - Integer.numberOfLeadingZeros(magnitude));
    }
    ImmutableList.Builder<AffineParameters> formats = ImmutableList.builder();
    for (int c = 0; c < channels; c++) {
      formats.add(new AffineParameters(bits, (float) weights.accumulator().scale(c), 0, true));
    }
    return QuantizedTensor.of(codes, Granularity.perChannel(0), formats.build(), channels);
  }

  private static QuantizedTensor ofFixedPoint(
      QuantizedWeights weights, AccumulatorFormat.FixedPoint grid) {
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
