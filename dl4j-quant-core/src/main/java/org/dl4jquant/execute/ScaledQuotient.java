package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;

/**
 * Means of affine codes: {@code sum * (step of the input / step of the output) / count}, in double.
 */
final class ScaledQuotient implements Quotient {
  private final double[] ratios;
  private final ImmutableList<UniformFormat> to;

  ScaledQuotient(
      ImmutableList<UniformFormat> from, ImmutableList<UniformFormat> to, Rounding rounding) {
    ScaledRequantization.requireHalfEven(rounding);
    this.to = to;
    ratios = new double[from.size()];
    for (int c = 0; c < ratios.length; c++) {
      ratios[c] = from.get(c).step() / to.get(c).step();
    }
  }

  @Override
  public int code(long sum, int count, int channel) {
    UniformFormat format = to.get(channel);
    double code = Math.rint(sum * ratios[channel] / count) + (double) format.zeroPoint();
    double saturated =
        Math.max((double) format.minCode(), Math.min((double) format.maxCode(), code));
    return (int) saturated - (int) format.zeroPoint();
  }

  @Override
  public int code(long sum, int channel) {
    return code(sum, 1, channel);
  }
}
