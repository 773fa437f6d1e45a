package org.dl4jquant.dl4j;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.tensor.Tensor;

/**
 * Batch normalization with the statistics of training: a factor and a shift per channel. DL4J
 * ignores the layer's activation function, and constants for gamma and beta unless both differ from
 * their defaults 1 and 0.
 */
final class BatchNormMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    BatchNormalization kind = layer.kind(BatchNormalization.class);
    boolean sequence = input.has(Layout.STEPS);
    if (input.has(Layout.FOLDED)) {
      return layer.inFloat(LayerMapping.PER_STEP, input);
    }
    boolean last = layer.shape(input).rank() == 3 && kind.getCnn2DFormat() == CNN2DFormat.NHWC;
    Value value = sequence ? input : layer.spatial(input, last);
    return layer.add(affine(layer, kind), value.layout(), value);
  }

  private static ChannelAffine affine(LayerScope layer, BatchNormalization kind) {
    float[] mean = layer.parameter("mean").values();
    float[] variance = variance(layer);
    boolean constant = kind.isLockGammaBeta();
    boolean used = kind.getGamma() != 1 && kind.getBeta() != 0;
    float[] gamma = constant ? filled(mean, used ? kind.getGamma() : 1) : values(layer, "gamma");
    float[] beta = constant ? filled(mean, used ? kind.getBeta() : 0) : values(layer, "beta");
    float[] factor = new float[mean.length];
    float[] shift = new float[mean.length];
    for (int c = 0; c < mean.length; c++) {
      double exact = gamma[c] / Math.sqrt(variance[c] + kind.getEps());
      factor[c] = (float) exact;
      shift[c] = (float) (beta[c] - exact * mean[c]);
    }
    return new ChannelAffine(Tensor.of(factor, factor.length), Tensor.of(shift, shift.length));
  }

  private static float[] values(LayerScope layer, String key) {
    return layer.parameter(key).values();
  }

  private static float[] filled(float[] like, double value) {
    float[] values = new float[like.length];
    Arrays.fill(values, (float) value);
    return values;
  }

  /** DL4J keeps either the variance or the decimal logarithm of its root. */
  private static float[] variance(LayerScope layer) {
    if (layer.hasParameter("var")) {
      return values(layer, "var");
    }
    float[] logs = values(layer, "log10stdev");
    float[] variance = new float[logs.length];
    for (int c = 0; c < logs.length; c++) {
      double deviation = Math.pow(10, logs[c]);
      variance[c] = (float) (deviation * deviation);
    }
    return variance;
  }
}
