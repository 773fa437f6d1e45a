package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.internal.Checks;

/**
 * Multiplies in float, as ONNX Runtime's integer kernels do: the sum, rounded to float, times
 * {@code (float) scale / step}; saturated; rounded half to even.
 */
final class ScaledRequantization implements Requantization {
  private final float[] multipliers;
  private final float[] lowest;
  private final float[] highest;

  ScaledRequantization(
      AccumulatorFormat from,
      ImmutableList<UniformFormat> to,
      ScalarFunction clip,
      Rounding rounding) {
    requireHalfEven(rounding);
    int channels = from.channels();
    multipliers = new float[channels];
    lowest = new float[channels];
    highest = new float[channels];
    for (int c = 0; c < channels; c++) {
      UniformFormat format = to.get(c);
      multipliers[c] = ratio(from.scale(c), format);
      lowest[c] = format.quantize(clip.lowest(), rounding) - format.zeroPoint();
      highest[c] = format.quantize(clip.highest(), rounding) - format.zeroPoint();
    }
  }

  static void requireHalfEven(Rounding rounding) {
    Checks.that(
        rounding.equals(Rounding.HALF_EVEN),
        "rounding",
        "be HALF_EVEN for affine formats",
        rounding);
  }

  /** Returns how many steps of a format one step of a sum is. */
  static float ratio(double scale, UniformFormat to) {
    float ratio = (float) scale / (float) to.step();
    Checks.that(
        ratio >= Float.MIN_NORMAL && Float.isFinite(ratio),
        "scale",
        "be within 2^126 of the step that it becomes, " + to.step(),
        scale);
    return ratio;
  }

  @Override
  public void channel(int c, int[] sums, int[] codes, int from, int to) {
    VectorLoops.requantize(sums, codes, from, to, multipliers[c], lowest[c], highest[c]);
  }

  @Override
  public void channel(int c, long[] sums, int[] codes, int from, int to) {
    for (int i = from; i < to; i++) {
      codes[i] = code(sums[i - from], c);
    }
  }

  @Override
  public int code(long sum, int c) {
    return VectorLoops.code(sum * multipliers[c], lowest[c], highest[c]);
  }
}
