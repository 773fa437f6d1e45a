package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import java.util.Optional;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.dl4jquant.format.Granularity;

/**
 * What one parameter of a layer is, and which of its elements belong to one output channel.
 *
 * @param role what it is for
 * @param granularity how a weight is cut into channels: the output-channel axes of DL4J's own
 *     parameter shape; per tensor for everything that is not a weight, and for weights of kinds
 *     whose channels are unknown
 * @param floatReason why a weight must stay float; absent if it need not
 */
public record ParameterLayout(
    ParameterRole role, Granularity granularity, Optional<String> floatReason) {
  private static final ImmutableSet<String> ATTENTION_PROJECTIONS =
      ImmutableSet.of("Wq", "Wk", "Wv");

  /**
   * Returns the layout of the parameter {@code key} of a layer.
   *
   * @param layer the configuration, without the wrappers that {@link Dl4jLayer} removes
   * @param key DL4J's key, such as {@code W} or {@code fRW}
   * @param rank the number of axes of the parameter
   */
  static ParameterLayout of(Layer layer, String key, int rank) {
    if (layer instanceof Bidirectional both) {
      return of(both.getFwd(), key.substring(1), rank);
    }
    if (layer instanceof BatchNormalization) {
      return new ParameterLayout(
          ParameterRole.STATISTIC, Granularity.perTensor(), Optional.empty());
    }
    if (layer instanceof PReLULayer) {
      return other("the slopes of a PReLU are not weights of a sum");
    }
    if (layer instanceof OCNNOutputLayer) {
      return other("a one-class output layer optimizes its radius on float weights");
    }
    ParamInitializer initializer = layer.initializer();
    if (initializer.isBiasParam(layer, key)) {
      return new ParameterLayout(ParameterRole.BIAS, Granularity.perTensor(), Optional.empty());
    }
    boolean center = layer instanceof CenterLossOutputLayer && key.equals("cL");
    if (center || !initializer.isWeightParam(layer, key)) {
      return other("parameter " + key + " is neither a weight nor a bias");
    }
    return weight(granularity(layer, key, rank));
  }

  private static Granularity granularity(Layer layer, String key, int rank) {
    ImmutableList<Integer> axes = outputAxes(layer, key);
    boolean fits = !axes.isEmpty() && axes.get(axes.size() - 1) < rank;
    return fits
        ? Granularity.perChannel(axes.stream().mapToInt(Integer::intValue).toArray())
        : Granularity.perTensor();
  }

  /** The table; every line was checked by running the layer. */
  private static ImmutableList<Integer> outputAxes(Layer layer, String key) {
    if (layer instanceof SeparableConvolution2D) {
      return key.equals("pW") ? ImmutableList.of(0) : ImmutableList.of(0, 1);
    }
    if (layer instanceof DepthwiseConvolution2D) {
      return ImmutableList.of(2, 3); // [kH, kW, in, depthMultiplier]
    }
    if (layer instanceof Deconvolution3D) {
      return ImmutableList.of(3); // [kD, kH, kW, out, in]
    }
    if (layer instanceof Deconvolution2D) {
      return ImmutableList.of(1); // [in, out, kH, kW]
    }
    if (layer instanceof Convolution3D
        || layer instanceof Convolution1DLayer
        || layer instanceof ConvolutionLayer) {
      return ImmutableList.of(0); // [out, in, ...]
    }
    if (layer instanceof LocallyConnected1D || layer instanceof LocallyConnected2D) {
      return ImmutableList.of(2); // [positions, in * kernel, out]
    }
    if (layer instanceof SelfAttentionLayer || layer instanceof LearnedSelfAttentionLayer) {
      return attentionAxes(key);
    }
    if (layer instanceof ElementWiseMultiplicationLayer) {
      return ImmutableList.of(); // one weight per unit: a format each would be a float each
    }
    boolean columns = layer instanceof FeedForwardLayer || layer instanceof RecurrentAttentionLayer;
    return columns ? ImmutableList.of(1) : ImmutableList.of(); // [in, out]
  }

  private static ImmutableList<Integer> attentionAxes(String key) {
    if (ATTENTION_PROJECTIONS.contains(key)) {
      return ImmutableList.of(0, 1); // [heads, headSize, in]
    }
    return key.equals("Wo") ? ImmutableList.of(1) : ImmutableList.of();
  }

  private static ParameterLayout weight(Granularity granularity) {
    return new ParameterLayout(ParameterRole.WEIGHT, granularity, Optional.empty());
  }

  static ParameterLayout other(String reason) {
    return new ParameterLayout(ParameterRole.OTHER, Granularity.perTensor(), Optional.of(reason));
  }
}
