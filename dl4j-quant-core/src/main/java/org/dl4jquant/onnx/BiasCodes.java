package org.dl4jquant.onnx;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.internal.Checks;

/**
 * A bias as 32-bit codes.
 *
 * @param attached true if the codes may be given to the operation itself
 */
record BiasCodes(ImmutableIntArray codes, ImmutableList<Step> steps, boolean attached) {
  static BiasCodes of(QuantizedWeights weights, ActivationFormat input) {
    return weights.accumulator() instanceof AccumulatorFormat.Affine sums
        ? ofProducts(weights, sums)
        : ofFixedPoint(weights, input);
  }

  /** Biases of affine codes are on the grid of the products in any case. */
  private static BiasCodes ofProducts(QuantizedWeights weights, AccumulatorFormat.Affine sums) {
    ImmutableIntArray.Builder codes = ImmutableIntArray.builder();
    ImmutableList.Builder<Step> steps = ImmutableList.builder();
    for (int c = 0; c < sums.channels(); c++) {
      long code = weights.bias().get(c);
      Checks.that(code == (int) code, "bias of channel " + c, "fit 32 bits", code);
      codes.add((int) code);
      steps.add(new Step((float) sums.scale(c), 0));
    }
    return new BiasCodes(codes.build(), steps.build(), true);
  }

  private static BiasCodes ofFixedPoint(QuantizedWeights weights, ActivationFormat input) {
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
    ImmutableList<Step> steps =
        Arrays.stream(lengths).mapToObj(Step::ofPowerOfTwo).collect(toImmutableList());
    return new BiasCodes(ImmutableIntArray.copyOf(codes), steps, attached);
  }

  /** Returns true if {@code code} can be moved to a grid finer by {@code shift} bits. */
  private static boolean movable(long code, int shift) {
    if (shift < 0) {
      return Long.numberOfTrailingZeros(code) >= -shift && (code >> Math.min(63, -shift)) != 0;
    }
    return shift < Integer.SIZE && code == (int) code && (int) (code << shift) == code << shift;
  }
}
