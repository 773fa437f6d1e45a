package org.dl4jquant.tensor;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Iterables;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;

/**
 * Quantizes, dequantizes and fake-quantizes the elements of tensors of one shape, in row-major
 * order and without allocating.
 *
 * <p>Each element gets, bit for bit, what its channel's {@link NumberFormat} gives for it alone.
 * Infinite values saturate. NaN is refused with the index of the first one, before anything is
 * written. Immutable and thread-safe, as long as threads do not share arrays or a stochastic
 * rounding.
 */
public final class TensorCodec {
  private final Granularity granularity;
  private final ImmutableList<NumberFormat> formats;
  private final int length;
  private final ChannelLoops loops;

  private TensorCodec(
      Granularity granularity, ImmutableList<NumberFormat> formats, ChannelRuns runs) {
    this.granularity = granularity;
    this.formats = formats;
    this.length = runs.elements();
    this.loops = loops(runs, formats);
  }

  /**
   * Returns the codec of tensors of one shape.
   *
   * @param formats one per channel, at least one, all of the same bit width and signedness, with
   *     codes that fit an int (which excludes 32 bits unsigned)
   * @param shape the sizes of the axes; none is negative
   */
  public static TensorCodec of(
      Granularity granularity, List<? extends NumberFormat> formats, int... shape) {
    int channels = granularity.channels(shape);
    String where = " (" + granularity + ", shape " + Arrays.toString(shape) + ")";
    Checks.that(channels > 0, "shape", "have at least one channel" + where, channels);
    Checks.that(
        formats.size() == channels, "formats", "number " + channels + where, formats.size());
    NumberFormat first = formats.get(0);
    Checks.that(
        first.maxCode() <= Integer.MAX_VALUE, "formats", "have codes that fit an int", first);
    for (NumberFormat format : formats) {
      Checks.that(
          format.bitWidth() == first.bitWidth() && format.signed() == first.signed(),
          "formats",
          "agree in bit width and signedness",
          first + " and " + format);
    }
    return new TensorCodec(granularity, ImmutableList.copyOf(formats), granularity.runs(shape));
  }

  private static ChannelLoops loops(ChannelRuns runs, ImmutableList<NumberFormat> formats) {
    if (Iterables.all(formats, FixedPointFormat.class::isInstance)) {
      return new FixedPointLoops(runs, cast(formats, FixedPointFormat.class).toList());
    }
    boolean affine =
        Iterables.all(formats, AffineParameters.class::isInstance)
            && cast(formats, AffineParameters.class).allMatch(AffineParameters::computesInFloat);
    return affine
        ? new AffineLoops(runs, cast(formats, AffineParameters.class).toList())
        : new ChannelLoops.AnyFormat(runs, formats);
  }

  private static <F extends NumberFormat> Stream<F> cast(
      ImmutableList<NumberFormat> formats, Class<F> kind) {
    return formats.stream().map(kind::cast);
  }

  /**
   * Writes the code of every value.
   *
   * @throws IllegalArgumentException if an array's length is not the number of elements, or if a
   *     value is NaN; then nothing is written
   */
  public void quantize(float[] values, Rounding rounding, int[] codes) {
    requireLength("values", values.length);
    requireLength("codes", codes.length);
    requireNumbers(values);
    loops.quantize(values, rounding, codes);
  }

  /**
   * Writes the real value of every code, rounded to float: beyond 24 bits a float does not hold
   * every code. Codes are not checked.
   */
  public void dequantize(int[] codes, float[] values) {
    requireLength("codes", codes.length);
    requireLength("values", values.length);
    loops.dequantize(codes, values);
  }

  /**
   * Replaces every value by the value of its code.
   *
   * @throws IllegalArgumentException if the array's length is not the number of elements, or if a
   *     value is NaN; then nothing is written
   */
  public void fakeQuantize(float[] values, Rounding rounding) {
    requireLength("values", values.length);
    requireNumbers(values);
    loops.fakeQuantize(values, rounding);
  }

  /** Returns the number of elements. */
  public int length() {
    return length;
  }

  /** Returns which elements share a format. */
  public Granularity granularity() {
    return granularity;
  }

  /** Returns the formats, one per channel. */
  public ImmutableList<NumberFormat> formats() {
    return formats;
  }

  private void requireLength(String parameter, int found) {
    Checks.that(found == length, parameter, "have " + length + " elements", found);
  }

  private static void requireNumbers(float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (Float.isNaN(values[i])) {
        throw Checks.violated("values", "be numbers", "NaN at index " + i);
      }
    }
  }
}
