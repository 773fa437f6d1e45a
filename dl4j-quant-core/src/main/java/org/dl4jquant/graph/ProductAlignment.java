package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * How products that lie on grids of their own, one for each input channel, meet in one sum (method
 * A, US20190042948A1, step 3). All-zero kernel slices never count.
 *
 * @param rule where they meet
 * @param biasBits of a bias code, 2 to 32; where it would need more, the grid of the sum is as
 *     coarse as it takes, and finer products are shifted right with rounding
 * @param rounding of weights and biases
 */
public record ProductAlignment(Rule rule, int biasBits, Rounding rounding) {
  /** The bits that a weight keeps in any case when it is made coarser, the sign included. */
  private static final int KEPT_BITS = 3;

  /** Where the products of a sum meet. */
  public enum Rule {
    /** On the finest of their grids: each is shifted left, and nothing is lost. */
    SHIFT_MAX,
    /**
     * On the coarsest of their grids: weights of the other slices get coarser formats, so that no
     * product needs a shift. A weight of {@code b} bits gives up {@code b - 3} bits at most; what
     * its products are still too fine is shifted right.
     */
    ALIGN_MIN,
    /** As {@link #SHIFT_MAX}, with a bias that is rounded to the grid of the output. */
    OUTPUT
  }

  public ProductAlignment {
    Checks.inRange(
        "biasBits", biasBits, FixedPointFormat.MIN_BIT_WIDTH, FixedPointFormat.MAX_BIT_WIDTH);
  }

  /**
   * Returns the parameters of an operation.
   *
   * @param op with the float weights
   * @param weight fixed point, of the same shape
   * @param input the fixed-point format of the input
   * @param output the fixed-point format of what the sums become
   */
  public QuantizedWeights align(
      Weighted op, QuantizedTensor weight, ActivationFormat input, ActivationFormat output) {
    return switch (rule) {
      case SHIFT_MAX -> QuantizedWeights.onFinestGrid(op, weight, input, rounding, biasBits);
      case OUTPUT -> {
        Tensor bias = onGrid(op.bias(), output, rounding);
        yield QuantizedWeights.onFinestGrid(
            op.withParameters(op.weight(), bias), weight, input, rounding, biasBits);
      }
      case ALIGN_MIN -> onCoarsestGrid(op, weight, input);
    };
  }

  /** Returns a bias rounded to the grids of what the sums become. */
  public static Tensor onGrid(Tensor bias, ActivationFormat output, Rounding rounding) {
    ImmutableList<NumberFormat> to = output.ofChannels(bias.length());
    float[] values = bias.values().clone();
    for (int j = 0; j < values.length; j++) {
      FixedPointFormat wide =
          FixedPointFormat.signed(
              FixedPointFormat.MAX_BIT_WIDTH, fixedPoint(to.get(j)).fractionalLength());
      values[j] = (float) wide.dequantize(wide.quantize(values[j], rounding));
    }
    return Tensor.of(values, values.length);
  }

  private QuantizedWeights onCoarsestGrid(
      Weighted op, QuantizedTensor weight, ActivationFormat input) {
    QuantizedWeights finest = QuantizedWeights.onFinestGrid(op, weight, input, rounding);
    ImmutableList<NumberFormat> inputs = input.ofChannels(op.inputChannels());
    int slices = op.slices();
    int channels = op.outputChannels();
    boolean[] nonZero = QuantizedWeights.nonZeroSlices(weight, channels * slices);
    FixedPointFormat[] formats = new FixedPointFormat[channels * slices];
    int[] grid = new int[channels];
    for (int j = 0; j < channels; j++) {
      int row = j;
      IntUnaryOperator in = s -> fixedPoint(inputs.get(op.inputChannel(row, s))).fractionalLength();
      int coarsest = Integer.MAX_VALUE;
      for (int s = 0; s < slices; s++) {
        formats[j * slices + s] = fixedPoint(finest.sliceFormat(j, s));
        int products = in.applyAsInt(s) + formats[j * slices + s].fractionalLength();
        coarsest = nonZero[j * slices + s] ? Math.min(coarsest, products) : coarsest;
      }
      for (int s = 0; s < slices; s++) {
        int index = j * slices + s;
        formats[index] =
            nonZero[index]
                ? coarser(formats[index], coarsest - in.applyAsInt(s))
                : formats[index].withFractionalLength(0);
      }
      double bias = op.bias().values()[j];
      grid[j] =
          coarsest == Integer.MAX_VALUE
              ? ((AccumulatorFormat.FixedPoint) finest.accumulator()).fractionalLengths().get(j)
              : coarsest;
      grid[j] = bias == 0 ? grid[j] : Math.min(grid[j], longest(bias));
    }
    QuantizedTensor coarse =
        QuantizedTensor.quantize(op.weight(), granularity(op), Arrays.asList(formats), rounding);
    return new QuantizedWeights(
        coarse, bias(op, grid), new AccumulatorFormat.FixedPoint(ImmutableIntArray.copyOf(grid)));
  }

  private static Granularity granularity(Weighted op) {
    return op.weight().rank() == 1 ? Granularity.perChannel(0) : Granularity.perChannel(0, 1);
  }

  private ImmutableLongArray bias(Weighted op, int[] grid) {
    ImmutableLongArray.Builder codes = ImmutableLongArray.builder();
    for (int j = 0; j < grid.length; j++) {
      codes.add((long) rounding.round(Math.scalb((double) op.bias().values()[j], grid[j])));
    }
    return codes.build();
  }

  /** Returns the fractional length at which a bias still fits its bits. */
  private int longest(double bias) {
    return FixedPointFormat.covering(Math.abs(bias), biasBits).fractionalLength();
  }

  private static FixedPointFormat coarser(FixedPointFormat format, int wanted) {
    int least = format.fractionalLength() - Math.max(0, format.bitWidth() - KEPT_BITS);
    return format.withFractionalLength(
        Math.min(format.fractionalLength(), Math.max(least, wanted)));
  }

  private static FixedPointFormat fixedPoint(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint) {
      return fixedPoint;
    }
    throw Checks.violated("format", "be fixed point", format);
  }
}
