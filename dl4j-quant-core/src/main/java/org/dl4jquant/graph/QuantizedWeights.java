package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.util.Arrays;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * The integer parameters of a {@link Weighted} operation.
 *
 * @param weight of the operation's weight shape; formats per tensor, per output channel (axis 0) or
 *     per kernel slice (axes 0 and 1)
 * @param bias one code per output channel, on the grid of the accumulator
 * @param accumulator the grid on which an output channel's products and bias are summed. Of fixed
 *     point, a product whose own grid (fractional length of the input channel plus that of the
 *     kernel slice) is coarser is shifted left; where it is finer, the exact sum of the slice's
 *     products is shifted right with rounding before it is added
 */
public record QuantizedWeights(
    QuantizedTensor weight, ImmutableLongArray bias, AccumulatorFormat accumulator) {
  public QuantizedWeights {
    int channels = weight.shape()[0];
    Checks.that(bias.length() == channels, "bias", "have " + channels + " codes", bias.length());
    Checks.that(
        accumulator.channels() == channels,
        "accumulator",
        "have " + channels + " channels",
        accumulator.channels());
    Granularity granularity = weight.granularity();
    boolean perSlice =
        !(granularity instanceof Granularity.PerChannel axes)
            || axes.axes().equals(ImmutableList.of(0))
            || axes.axes().equals(ImmutableList.of(0, 1));
    Checks.that(perSlice, "weight", "have formats per tensor, axis 0 or axes 0 and 1", granularity);
  }

  /**
   * Returns the parameters with every sum on the finest grid of its products (method A's
   * SHIFT_MAX), and the bias rounded to that grid. All-zero kernel slices do not count. Where the
   * bias would need more than {@code biasBits} bits there, the grid is as coarse as it takes.
   *
   * @param weight fixed point, of the shape of {@code op}'s weight
   * @param input the fixed-point format of the input
   * @param biasBits 2 to 62
   */
  public static QuantizedWeights onFinestGrid(
      Weighted op,
      QuantizedTensor weight,
      ActivationFormat input,
      Rounding rounding,
      int biasBits) {
    return onGrid(op, weight, input, rounding, (finest, bias) -> grid(finest, bias, biasBits));
  }

  /**
   * Returns the parameters with every sum on the finest grid of its products, and the bias rounded
   * to that grid, however many bits that takes.
   *
   * @param weight fixed point, of the shape of {@code op}'s weight
   * @param input the fixed-point format of the input
   */
  public static QuantizedWeights onFinestGrid(
      Weighted op, QuantizedTensor weight, ActivationFormat input, Rounding rounding) {
    return onGrid(op, weight, input, rounding, (finest, bias) -> finest);
  }

  /**
   * Returns the parameters with the sums of affine codes, in steps of the product of the scales of
   * input and weight, computed in float. Biases are rounded to that grid.
   *
   * @param weight of the shape of {@code op}'s weight, per tensor or per output channel; affine
   *     with zero point 0, or fixed point
   * @param input one uniform format for the whole value
   * @throws IllegalArgumentException if the formats are others, or a bias takes more than 62 bits
   */
  public static QuantizedWeights onProductGrid(
      Weighted op, QuantizedTensor weight, ActivationFormat input, Rounding rounding) {
    requireShape(op, weight);
    Checks.that(input.perTensor(), "input", "have one format for the whole value", input);
    float step = (float) UniformFormat.of(input.formats().get(0)).step();
    int channels = op.outputChannels();
    Checks.that(
        weight.formats().size() == 1 || weight.formats().size() == channels,
        "weight",
        "have a format per tensor or per output channel",
        weight.granularity());
    double[] scales = new double[channels];
    long[] bias = new long[channels];
    for (int j = 0; j < channels; j++) {
      UniformFormat own = UniformFormat.of(format(weight, op.slices(), j, 0));
      Checks.that(own.zeroPoint() == 0, "weight", "have zero point 0", own);
      scales[j] = step * (float) own.step();
      double code = rounding.round(op.bias().values()[j] / scales[j]);
      Checks.that(Math.abs(code) < 0x1p62, "bias of channel " + j, "fit 62 bits", code);
      bias[j] = (long) code;
    }
    return new QuantizedWeights(
        weight,
        ImmutableLongArray.copyOf(bias),
        new AccumulatorFormat.Affine(ImmutableDoubleArray.copyOf(scales)));
  }

  private static void requireShape(Weighted op, QuantizedTensor weight) {
    Checks.that(
        Arrays.equals(weight.shape(), op.weight().shape()),
        "weight",
        "have shape " + Arrays.toString(op.weight().shape()),
        Arrays.toString(weight.shape()));
  }

  /** Which grid a sum is on. */
  private interface Grid {
    /** Returns a fractional length, given the finest of the products and the bias. */
    int of(int finest, double bias);
  }

  private static QuantizedWeights onGrid(
      Weighted op, QuantizedTensor weight, ActivationFormat input, Rounding rounding, Grid grid) {
    requireShape(op, weight);
    ImmutableList<NumberFormat> inputs = input.ofChannels(op.inputChannels());
    int channels = op.outputChannels();
    int slices = op.slices();
    boolean[] nonZero = nonZeroSlices(weight, channels * slices);
    int[] lengths = new int[channels];
    long[] bias = new long[channels];
    for (int j = 0; j < channels; j++) {
      int finest = Integer.MIN_VALUE;
      int finestOfAll = Integer.MIN_VALUE;
      for (int s = 0; s < slices; s++) {
        int length =
            fractionalLength(inputs.get(op.inputChannel(j, s)))
                + fractionalLength(format(weight, slices, j, s));
        finestOfAll = Math.max(finestOfAll, length);
        finest = nonZero[j * slices + s] ? Math.max(finest, length) : finest;
      }
      double value = op.bias().values()[j];
      lengths[j] = grid.of(finest == Integer.MIN_VALUE ? finestOfAll : finest, value);
      bias[j] = (long) rounding.round(Math.scalb(value, lengths[j]));
    }
    return new QuantizedWeights(
        weight,
        ImmutableLongArray.copyOf(bias),
        new AccumulatorFormat.FixedPoint(ImmutableIntArray.copyOf(lengths)));
  }

  private static int grid(int finest, double bias, int biasBits) {
    if (bias == 0) {
      return finest;
    }
    int length =
        biasBits <= FixedPointFormat.MAX_BIT_WIDTH
            ? FixedPointFormat.covering(Math.abs(bias), biasBits).fractionalLength()
            : biasBits - 2 - Math.getExponent(bias); // a float's digits are fewer: no rounding
    return Math.min(finest, length);
  }

  static boolean[] nonZeroSlices(QuantizedTensor weight, int slices) {
    int[] codes = weight.codes();
    boolean[] nonZero = new boolean[slices];
    int area = codes.length / slices;
    for (int i = 0; i < codes.length; i++) {
      nonZero[i / area] |= codes[i] != 0;
    }
    return nonZero;
  }

  /** Returns the format of one kernel slice. */
  public NumberFormat sliceFormat(int outputChannel, int slice) {
    int[] shape = weight.shape();
    return format(weight, shape.length == 1 ? 1 : shape[1], outputChannel, slice);
  }

  private static NumberFormat format(QuantizedTensor weight, int slices, int channel, int slice) {
    if (weight.granularity() instanceof Granularity.PerChannel axes) {
      return weight.formats().get(axes.axes().size() == 1 ? channel : channel * slices + slice);
    }
    return weight.formats().get(0);
  }

  private static int fractionalLength(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint) {
      return fixedPoint.fractionalLength();
    }
    throw Checks.violated("format", "be fixed point", format);
  }
}
