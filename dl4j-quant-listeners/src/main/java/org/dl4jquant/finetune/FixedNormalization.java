package org.dl4jquant.finetune;

import java.util.Collection;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.NoOp;

/**
 * Batch normalization that multiplies and adds what it has learned, in training, too: its
 * statistics, factors and shifts stay as they are, as integers will have them.
 */
public final class FixedNormalization extends BatchNormalization {
  private static final long serialVersionUID = 1L;

  /** For JSON. */
  public FixedNormalization() {}

  /** Returns the fixed form of a normalization. */
  static FixedNormalization of(BatchNormalization learned) {
    FixedNormalization fixed = new FixedNormalization();
    fixed.setLayerName(learned.getLayerName());
    fixed.setNIn(learned.getNIn());
    fixed.setNOut(learned.getNOut());
    fixed.setCnn2DFormat(learned.getCnn2DFormat());
    fixed.setEps(learned.getEps());
    fixed.setDecay(learned.getDecay());
    fixed.setLockGammaBeta(learned.isLockGammaBeta());
    fixed.setGamma(learned.getGamma());
    fixed.setBeta(learned.getBeta());
    fixed.setUseLogStd(learned.isUseLogStd());
    fixed.setActivationFn(learned.getActivationFn());
    fixed.setWeightInitFn(learned.getWeightInitFn());
    fixed.setGradientNormalization(learned.getGradientNormalization());
    fixed.setIUpdater(new NoOp());
    return fixed;
  }

  @Override
  public FixedNormalization clone() {
    return (FixedNormalization) super.clone();
  }

  @Override
  public Layer instantiate(
      NeuralNetConfiguration configuration,
      Collection<TrainingListener> listeners,
      int index,
      INDArray parameters,
      boolean initialize,
      DataType type) {
    FixedNormalizationLayer layer = new FixedNormalizationLayer(configuration, type);
    layer.setListeners(listeners);
    layer.setIndex(index);
    layer.setParamsViewArray(parameters);
    Map<String, INDArray> table = initializer().init(configuration, parameters, initialize);
    layer.setParamTable(table);
    layer.setConf(configuration);
    return layer;
  }
}
