package org.dl4jquant.dl4j;

import com.google.common.primitives.ImmutableDoubleArray;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a BatchNormalization layer computes at inference: {@code factors[c] * x + shifts[c]}, in
 * double.
 *
 * <p>Two habits of DL4J are kept. The layer's own activation function is never applied. And gamma
 * and beta that are locked count only if gamma is not 1 and beta is not 0.
 *
 * @param factors one per channel
 * @param shifts one per channel
 */
record BatchNormAffine(ImmutableDoubleArray factors, ImmutableDoubleArray shifts) {
  /**
   * Returns the function of a layer.
   *
   * @param layer of kind BatchNormalization
   */
  static BatchNormAffine of(Dl4jLayer layer) {
    BatchNormalization batchNorm =
        (BatchNormalization)
            layer
                .configuration()
                .filter(BatchNormalization.class::isInstance)
                .orElseThrow(
                    () -> Checks.violated("layer", "be a BatchNormalization", layer.kind()));
    boolean locked = batchNorm.isLockGammaBeta();
    boolean counts = batchNorm.getGamma() != 1 && batchNorm.getBeta() != 0;
    INDArray mean = value(layer, BatchNormalizationParamInitializer.GLOBAL_MEAN);
    ImmutableDoubleArray.Builder factors = ImmutableDoubleArray.builder();
    ImmutableDoubleArray.Builder shifts = ImmutableDoubleArray.builder();
    for (int c = 0; c < mean.length(); c++) {
      double gamma = counts ? batchNorm.getGamma() : 1;
      double beta = counts ? batchNorm.getBeta() : 0;
      if (!locked) {
        gamma = value(layer, BatchNormalizationParamInitializer.GAMMA).getDouble(c);
        beta = value(layer, BatchNormalizationParamInitializer.BETA).getDouble(c);
      }
      double factor = gamma / Math.sqrt(variance(layer, batchNorm, c) + batchNorm.getEps());
      factors.add(factor);
      shifts.add(beta - mean.getDouble(c) * factor);
    }
    return new BatchNormAffine(factors.build(), shifts.build());
  }

  private static double variance(Dl4jLayer layer, BatchNormalization batchNorm, int channel) {
    if (!batchNorm.isUseLogStd()) {
      return value(layer, BatchNormalizationParamInitializer.GLOBAL_VAR).getDouble(channel);
    }
    double logStd =
        value(layer, BatchNormalizationParamInitializer.GLOBAL_LOG_STD).getDouble(channel);
    return Math.pow(10, 2 * logStd);
  }

  private static INDArray value(Dl4jLayer layer, String key) {
    return layer.parameters().stream()
        .filter(parameter -> parameter.key().equals(key))
        .findFirst()
        .orElseThrow(() -> Checks.violated("layer " + layer.name(), "have parameter " + key, ""))
        .value();
  }

  int channels() {
    return factors.length();
  }
}
