package org.dl4jquant.tensor;

import java.util.List;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;

/**
 * Loops for fixed point: a product with a power of two, a rounding and a clamp.
 *
 * <p>They compute in double, where the product of any float with 2^-64 to 2^64 and of any code with
 * a step is exact: nothing overflows and no subnormal loses a bit.
 */
final class FixedPointLoops extends ChannelLoops {
  private final int repeats;
  private final int length;
  private final int[] channels;
  private final double[] stepsPerUnit;
  private final double[] steps;
  private final double[] minCodes;
  private final double[] maxCodes;

  FixedPointLoops(ChannelRuns runs, List<FixedPointFormat> formats) {
    repeats = runs.repeats();
    length = runs.length();
    channels = runs.channels().toArray();
    steps = formats.stream().mapToDouble(FixedPointFormat::scale).toArray();
    stepsPerUnit = formats.stream().mapToDouble(format -> 1 / format.scale()).toArray();
    minCodes = formats.stream().mapToDouble(FixedPointFormat::minCode).toArray();
    maxCodes = formats.stream().mapToDouble(FixedPointFormat::maxCode).toArray();
  }

  @Override
  void quantize(float[] values, Rounding rounding, int[] codes) {
    boolean halfEven = rounding.equals(Rounding.HALF_EVEN);
    int i = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
      for (int channel : channels) {
        double factor = stepsPerUnit[channel];
        double min = minCodes[channel];
        double max = maxCodes[channel];
        for (int end = i + length; i < end; i++) {
          double scaled = values[i] * factor;
          double code = halfEven ? Math.rint(scaled) : rounding.round(scaled);
          codes[i] = (int) Math.max(min, Math.min(max, code));
        }
      }
    }
  }

  @Override
  void dequantize(int[] codes, float[] values) {
    int i = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
      for (int channel : channels) {
        double step = steps[channel];
        for (int end = i + length; i < end; i++) {
          values[i] = (float) (codes[i] * step);
        }
      }
    }
  }

  @Override
  void fakeQuantize(float[] values, Rounding rounding) {
    boolean halfEven = rounding.equals(Rounding.HALF_EVEN);
    int i = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
      for (int channel : channels) {
        double factor = stepsPerUnit[channel];
        double step = steps[channel];
        double min = minCodes[channel];
        double max = maxCodes[channel];
        for (int end = i + length; i < end; i++) {
          double scaled = values[i] * factor;
          double code = halfEven ? Math.rint(scaled) : rounding.round(scaled);
          // Adding 0.0 turns -0.0 into 0.0, as an integer code does.
          values[i] = (float) ((Math.max(min, Math.min(max, code)) + 0.0) * step);
        }
      }
    }
  }
}
