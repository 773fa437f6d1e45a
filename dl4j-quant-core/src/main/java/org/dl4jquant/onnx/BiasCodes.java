package org.dl4jquant.onnx;

import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;

/**
 * A bias as 32-bit codes.
 *
 * @param attached true if the codes may be given to the operation itself
 */
record BiasCodes(ImmutableIntArray codes, ImmutableIntArray fractionalLengths, boolean attached) {
  static BiasCodes of(Weighted op, QuantizedWeights weights, ActivationFormat input) {
    int[] grid = QuantizedParameters.grid(weights);
    boolean integer =
        input.perTensor()
            && input.formats().get(0) instanceof FixedPointFormat
            && QuantizedParameters.regular(weights.weight())
            && weights.weight().formats().get(0) instanceof FixedPointFormat;
    int[] lengths = grid.clone();
    int[] codes = new int[grid.length];
    boolean attached = true;
    for (int c = 0; c < grid.length; c++) {
      long code = weights.bias().get(c);
      if (integer) {
        FixedPointFormat from = (FixedPointFormat) input.formats().get(0);
        int products = QuantizedParameters.productLength(weights, c, from);
        attached &= code == 0 || movable(code, products - grid[c]);
        lengths[c] = products;
      }
    }
    for (int c = 0; c < grid.length; c++) {
      long code = weights.bias().get(c);
      if (!attached) {
        lengths[c] = grid[c];
        while (code != 0 && code != (int) code && (code & 1) == 0) {
          code >>= 1;
          lengths[c]--;
        }
      } else if (code != 0) {
        int shift = lengths[c] - grid[c];
        code = shift >= 0 ? code << shift : code >> -shift;
      }
      Checks.that(code == (int) code, "bias of channel " + c, "fit 32 bits", code);
      codes[c] = (int) code;
    }
    return new BiasCodes(
        ImmutableIntArray.copyOf(codes), ImmutableIntArray.copyOf(lengths), attached);
  }

  /** Returns true if {@code code} can be moved to a grid finer by {@code shift} bits. */
  private static boolean movable(long code, int shift) {
    if (shift < 0) {
      return Long.numberOfTrailingZeros(code) >= -shift && (code >> Math.min(63, -shift)) != 0;
    }
    return shift < Integer.SIZE && code == (int) code && (int) (code << shift) == code << shift;
  }
}
