package org.dl4jquant.tensor;

import java.util.List;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.Rounding;

/** Loops for affine formats whose arithmetic is in float (see {@link AffineParameters}). */
final class AffineLoops extends ChannelLoops {
  private final int repeats;
  private final int length;
  private final int[] channels;
  private final float[] scales;
  private final int[] zeroPoints;
  private final double minCode;
  private final double maxCode;

  AffineLoops(ChannelRuns runs, List<AffineParameters> formats) {
    repeats = runs.repeats();
    length = runs.length();
    channels = runs.channels().toArray();
    scales = new float[formats.size()];
    zeroPoints = new int[formats.size()];
    for (int channel = 0; channel < scales.length; channel++) {
      scales[channel] = formats.get(channel).scale();
      zeroPoints[channel] = Math.toIntExact(formats.get(channel).zeroPoint());
    }
    minCode = formats.get(0).minCode();
    maxCode = formats.get(0).maxCode();
  }

  @Override
  void quantize(float[] values, Rounding rounding, int[] codes) {
    boolean halfEven = rounding.equals(Rounding.HALF_EVEN);
    int i = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
      for (int channel : channels) {
        float scale = scales[channel];
        double zeroPoint = zeroPoints[channel];
        for (int end = i + length; i < end; i++) {
          double scaled = values[i] / scale;
          double code = (halfEven ? Math.rint(scaled) : rounding.round(scaled)) + zeroPoint;
          codes[i] = (int) Math.max(minCode, Math.min(maxCode, code));
        }
      }
    }
  }

  @Override
  void dequantize(int[] codes, float[] values) {
    int i = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
      for (int channel : channels) {
        float scale = scales[channel];
        int zeroPoint = zeroPoints[channel];
        for (int end = i + length; i < end; i++) {
          values[i] = (codes[i] - zeroPoint) * scale;
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
        float scale = scales[channel];
        double zeroPoint = zeroPoints[channel];
        for (int end = i + length; i < end; i++) {
          double scaled = values[i] / scale;
          double code = (halfEven ? Math.rint(scaled) : rounding.round(scaled)) + zeroPoint;
          double steps = Math.max(minCode, Math.min(maxCode, code)) - zeroPoint;
          values[i] = (float) steps * scale;
        }
      }
    }
  }
}
