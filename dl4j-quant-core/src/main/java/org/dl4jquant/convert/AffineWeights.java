package org.dl4jquant.convert;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.strategy.WeightStrategy;
import org.dl4jquant.tensor.Tensor;

/**
 * Affine formats of weights: zero point 0, a scale per channel. A channel of zeros gets the median
 * scale of the others, and one of almost zeros none that is more than 2^{@value #MAX_SPREAD} times
 * finer than the coarsest.
 */
final class AffineWeights {
  private static final int MAX_SPREAD = 20;

  private AffineWeights() {}

  static List<AffineParameters> formats(
      Tensor tensor, Granularity granularity, int bitWidth, WeightStrategy strategy) {
    List<AffineParameters> formats = new ArrayList<>();
    List<Integer> zeroChannels = new ArrayList<>();
    List<Float> scales = new ArrayList<>();
    for (float[] channel : Channels.of(tensor, granularity)) {
      if (WeightConversion.isZero(channel)) {
        zeroChannels.add(formats.size());
        formats.add(AffineParameters.symmetric(0, bitWidth));
      } else {
        AffineParameters format = strategy.chooseAffine(channel, bitWidth);
        formats.add(format);
        scales.add(format.scale());
      }
    }
    if (scales.isEmpty()) {
      return formats;
    }
    scales.sort(null);
    float median = scales.get(scales.size() / 2);
    zeroChannels.forEach(i -> formats.set(i, formats.get(i).withScale(median)));
    float finest = Math.scalb(scales.get(scales.size() - 1), -MAX_SPREAD);
    formats.replaceAll(format -> format.withScale(Math.max(finest, format.scale())));
    return formats;
  }
}
