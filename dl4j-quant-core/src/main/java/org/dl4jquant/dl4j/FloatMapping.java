package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/** A layer that stays float and is run by DL4J. */
final class FloatMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    return layer.inFloat(reason(layer.kind(Layer.class)), input);
  }

  private static String reason(Layer kind) {
    if (kind instanceof BaseWrapperLayer wrapper) {
      return reason(wrapper.getUnderlying());
    }
    if (kind instanceof BaseRecurrentLayer || kind instanceof Bidirectional) {
      return "its recurrent state is computed in float";
    }
    if (kind instanceof EmbeddingLayer || kind instanceof EmbeddingSequenceLayer) {
      return "its inputs are indices";
    }
    if (kind instanceof PReLULayer) {
      return "its slopes are learned per element";
    }
    return kind instanceof AbstractSameDiffLayer
        ? "it is defined by a SameDiff graph"
        : "nothing in integers is known for this kind of layer";
  }
}
