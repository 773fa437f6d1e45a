package org.dl4jquant.finetune;

import java.util.Map;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.factory.Nd4j;

/** Runs {@link FixedNormalization}: always by its statistics, which take no gradient. */
final class FixedNormalizationLayer extends BatchNormalization {
  private static final long serialVersionUID = 1L;

  FixedNormalizationLayer(NeuralNetConfiguration configuration, DataType type) {
    super(configuration, type);
  }

  @Override
  public INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    return super.activate(false, workspaces);
  }

  @Override
  public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    Gradient none = new DefaultGradient();
    for (Map.Entry<String, INDArray> view : gradientViews.entrySet()) {
      view.getValue().assign(0);
      none.setGradientFor(view.getKey(), view.getValue());
    }
    boolean last = epsilon.rank() == 4 && layerConf().getCnn2DFormat() == CNN2DFormat.NHWC;
    INDArray passed =
        workspaces.createUninitialized(
            ArrayType.ACTIVATION_GRAD, epsilon.dataType(), epsilon.shape(), 'c');
    INDArray factors = factors().castTo(epsilon.dataType());
    Nd4j.exec(new BroadcastMulOp(epsilon, factors, passed, last ? 3 : 1));
    return new Pair<>(none, passed);
  }

  /** Returns by how much each channel's value grows with its input. */
  private INDArray factors() {
    INDArray variance =
        layerConf().isUseLogStd()
            ? power(getParam(BatchNormalizationParamInitializer.GLOBAL_LOG_STD))
            : getParam(BatchNormalizationParamInitializer.GLOBAL_VAR).dup();
    INDArray factors =
        org.nd4j.linalg.ops.transforms.Transforms.sqrt(variance.addi(layerConf().getEps()), false)
            .rdivi(1);
    if (!layerConf().isLockGammaBeta()) {
      factors.muli(getParam(BatchNormalizationParamInitializer.GAMMA).reshape(factors.shape()));
    } else if (layerConf().getGamma() != 1 && layerConf().getBeta() != 0) {
      factors.muli(layerConf().getGamma()); // as DL4J, which ignores it otherwise
    }
    return factors.reshape(factors.length());
  }

  private static INDArray power(INDArray logarithms) {
    INDArray variance = logarithms.dup();
    for (long i = 0; i < variance.length(); i++) {
      variance.putScalar(i, Math.pow(10, 2 * logarithms.getDouble(i)));
    }
    return variance;
  }
}
