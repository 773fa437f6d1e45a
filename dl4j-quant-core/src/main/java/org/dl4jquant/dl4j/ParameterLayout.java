package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.util.Arrays;
import java.util.Optional;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.layers.ocnn.OCNNParamInitializer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.params.PretrainParamInitializer;
import org.dl4jquant.format.Granularity;

/**
 * What one parameter of a layer is, and which of its elements belong to one output channel.
 *
 * <p>A kind of layer that is not known here, such as a custom one, is taken by its own word: what
 * its {@code ParamInitializer} or its SameDiff definition declares a weight is one, with a single
 * format for the tensor because nobody says where its channels lie.
 *
 * <p>The shape is DL4J's own but for one kind: a {@code Convolution1DLayer} declares its weights as
 * [out, in, kernel, 1] and then computes with the same memory read as [kernel, in, out], so that
 * its output channels lie along no axis of the declared shape.
 *
 * @param role what it is for
 * @param shape the sizes by which to read the elements, which are numbered in row-major order of
 *     DL4J's own shape
 * @param granularity how a weight is cut into channels: the output-channel axes of {@code shape};
 *     per tensor for everything that is not a weight, and for weights of kinds whose channels are
 *     unknown
 * @param floatReason why a weight must stay float; absent if it need not
 */
public record ParameterLayout(
    ParameterRole role,
    ImmutableList<Integer> shape,
    Granularity granularity,
    Optional<String> floatReason) {
  /**
   * Returns the layout of the parameter {@code key} of a layer.
   *
   * @param layer the configuration, without the wrappers that {@link Dl4jLayer} removes
   * @param key DL4J's key, such as {@code W} or {@code fRW}
   * @param shape DL4J's own
   */
  static ParameterLayout of(Layer layer, String key, long... shape) {
    if (layer instanceof Bidirectional both) {
      return of(Dl4jLayer.unwrap(both.getFwd()), key.substring(1), shape);
    }
    if (layer instanceof BatchNormalization || isGainOfLayerNormalization(layer, key)) {
      return of(ParameterRole.STATISTIC, shape);
    }
    if (layer instanceof PReLULayer) {
      return other("the slopes of a PReLU are not weights of a sum", shape);
    }
    if (layer instanceof OCNNOutputLayer && key.equals(OCNNParamInitializer.R_KEY)) {
      return other("the radius of a one-class output is a threshold", shape);
    }
    ParamInitializer initializer = layer.initializer();
    boolean visibleBias =
        layer instanceof AutoEncoder && key.equals(PretrainParamInitializer.VISIBLE_BIAS_KEY);
    if (visibleBias || initializer.isBiasParam(layer, key)) {
      return of(ParameterRole.BIAS, shape);
    }
    if (!initializer.isWeightParam(layer, key)) {
      return other("parameter " + key + " is neither a weight nor a bias", shape);
    }
    return layer instanceof Convolution1DLayer
        ? weight(ImmutableList.of(2), shape[2], shape[1], shape[0])
        : weight(OutputAxes.of(layer, key), shape);
  }

  /** Returns the layout of a parameter of a vertex that is not a layer. */
  static ParameterLayout of(SameDiffVertex vertex, String key, long... shape) {
    if (vertex.getVertexParams().isBiasParam(key)) {
      return of(ParameterRole.BIAS, shape);
    }
    return vertex instanceof AttentionVertex
        ? weight(OutputAxes.ofAttention(key), shape)
        : weight(ImmutableList.of(), shape);
  }

  static ParameterLayout other(String reason, long... shape) {
    return new ParameterLayout(
        ParameterRole.OTHER, sizes(shape), Granularity.perTensor(), Optional.of(reason));
  }

  /** DL4J calls it a weight, although it scales a sum that is already made. */
  private static boolean isGainOfLayerNormalization(Layer layer, String key) {
    return (layer instanceof DenseLayer || layer instanceof SimpleRnn)
        && key.equals(DefaultParamInitializer.GAIN_KEY);
  }

  private static ParameterLayout of(ParameterRole role, long... shape) {
    return new ParameterLayout(role, sizes(shape), Granularity.perTensor(), Optional.empty());
  }

  private static ParameterLayout weight(ImmutableList<Integer> axes, long... shape) {
    boolean fits = !axes.isEmpty() && axes.get(axes.size() - 1) < shape.length;
    Granularity granularity =
        fits ? Granularity.perChannel(Ints.toArray(axes)) : Granularity.perTensor();
    return new ParameterLayout(ParameterRole.WEIGHT, sizes(shape), granularity, Optional.empty());
  }

  private static ImmutableList<Integer> sizes(long... shape) {
    return Arrays.stream(shape).mapToObj(Math::toIntExact).collect(ImmutableList.toImmutableList());
  }
}
