package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableMap;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;

/** Which mapping draws which layer, by the exact class of its configuration. */
final class LayerMappings {
  private static final ImmutableMap<Class<? extends Layer>, LayerMapping> KINDS =
      ImmutableMap.<Class<? extends Layer>, LayerMapping>builder()
          .put(DenseLayer.class, new DenseMapping())
          .put(OutputLayer.class, new DenseMapping())
          .put(CenterLossOutputLayer.class, new DenseMapping())
          .put(AutoEncoder.class, new DenseMapping())
          .put(ConvolutionLayer.class, new ConvolutionMapping())
          .put(Convolution2D.class, new ConvolutionMapping())
          .put(SubsamplingLayer.class, new SubsamplingMapping())
          .put(Pooling2D.class, new SubsamplingMapping())
          .put(BatchNormalization.class, new BatchNormMapping())
          .put(ActivationLayer.class, new ActivationMapping())
          .put(DropoutLayer.class, (layer, input) -> input)
          .buildOrThrow();

  private LayerMappings() {}

  /** Draws a layer of any kind; one that nobody knows stays float. */
  static Value draw(LayerScope layer, Value input) {
    return KINDS
        .getOrDefault(layer.kind(Layer.class).getClass(), new FloatMapping())
        .map(layer, input);
  }

  /** Removes the wrappers that only concern training. */
  static Layer thawed(Layer layer) {
    if (layer instanceof FrozenLayer frozen) {
      return thawed(frozen.getLayer());
    }
    return layer instanceof FrozenLayerWithBackprop frozen ? thawed(frozen.getUnderlying()) : layer;
  }

  /** Returns whether DL4J asks the weight noise of such a layer for its parameters. */
  static boolean usesWeightNoise(Layer layer) {
    return !(layer instanceof Convolution1DLayer || layer instanceof BatchNormalization);
  }
}
