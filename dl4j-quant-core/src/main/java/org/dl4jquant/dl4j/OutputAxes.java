package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.layers.ocnn.OCNNParamInitializer;

/**
 * The output-channel axes of every weight, in DL4J's own parameter shape, whatever the data format
 * of the activations. A recurrent layer has a channel per gate and unit; the last three columns of
 * a Graves LSTM's recurrent weights, its peepholes, are one channel each.
 */
final class OutputAxes {
  private static final ImmutableList<Integer> NONE = ImmutableList.of();
  private static final ImmutableList<Integer> COLUMNS = ImmutableList.of(1); // [in, out]
  private static final ImmutableSet<String> PROJECTIONS = ImmutableSet.of("Wq", "Wk", "Wv");

  private OutputAxes() {}

  /** Returns the axes, ascending; empty if the whole tensor is one channel or nothing is known. */
  static ImmutableList<Integer> of(Layer layer, String key) {
    if (layer instanceof ConvolutionLayer convolution) {
      return ofConvolution(convolution, key);
    }
    if (layer instanceof LocallyConnected1D || layer instanceof LocallyConnected2D) {
      return ImmutableList.of(2); // [positions, in * kernel, out]
    }
    if (layer instanceof SelfAttentionLayer
        || layer instanceof LearnedSelfAttentionLayer
        || layer instanceof RecurrentAttentionLayer) {
      return ofAttention(key);
    }
    if (layer instanceof CapsuleLayer) {
      return ImmutableList.of(2); // [1, in capsules, capsules * dimensions, in dimensions, 1]
    }
    if (layer instanceof PrimaryCapsules) {
      return ImmutableList.of(3); // [kH, kW, in, channels * dimensions]
    }
    if (layer instanceof OCNNOutputLayer) {
      return key.equals(OCNNParamInitializer.V_KEY) ? COLUMNS : NONE; // w leads to one output
    }
    if (layer instanceof ElementWiseMultiplicationLayer) {
      return NONE; // one weight per unit: a format each would be a float each
    }
    return layer instanceof FeedForwardLayer ? COLUMNS : NONE;
  }

  private static ImmutableList<Integer> ofConvolution(ConvolutionLayer layer, String key) {
    if (layer instanceof SeparableConvolution2D && !key.equals("pW")) {
      return ImmutableList.of(0, 1); // [depth multiplier, in, kH, kW]
    }
    if (layer instanceof DepthwiseConvolution2D) {
      return ImmutableList.of(2, 3); // [kH, kW, in, depth multiplier]
    }
    if (layer instanceof Deconvolution3D) {
      return ImmutableList.of(3); // [kD, kH, kW, out, in]
    }
    if (layer instanceof Deconvolution2D) {
      return ImmutableList.of(1); // [in, out, kH, kW]
    }
    return ImmutableList.of(0); // [out, in, ...]
  }

  /** Returns the axes of a parameter of attention, whether in a layer or in a vertex. */
  static ImmutableList<Integer> ofAttention(String key) {
    if (PROJECTIONS.contains(key)) {
      return ImmutableList.of(0, 1); // [heads, head size, in]
    }
    return key.equals("Q") ? ImmutableList.of(2) : COLUMNS; // [1, in, queries]
  }
}
