package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableMap;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.Pooling1D;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskLayer;

/** Which mapping draws which layer, by the exact class of its configuration. */
final class LayerMappings {
  private static final ImmutableMap<Class<? extends Layer>, LayerMapping> KINDS =
      ImmutableMap.<Class<? extends Layer>, LayerMapping>builder()
          .put(DenseLayer.class, new DenseMapping())
          .put(OutputLayer.class, new DenseMapping())
          .put(CenterLossOutputLayer.class, new DenseMapping())
          .put(AutoEncoder.class, new DenseMapping())
          .put(RnnOutputLayer.class, new SequenceOutputMapping())
          .put(RnnLossLayer.class, new SequenceOutputMapping())
          .put(TimeDistributed.class, new TimeDistributedMapping())
          .put(ConvolutionLayer.class, new ConvolutionMapping())
          .put(Convolution2D.class, new ConvolutionMapping())
          .put(Convolution1DLayer.class, new Convolution1dMapping())
          .put(Convolution1D.class, new Convolution1dMapping())
          .put(DepthwiseConvolution2D.class, new DepthwiseMapping())
          .put(SeparableConvolution2D.class, new SeparableMapping())
          .put(Deconvolution2D.class, new DeconvolutionMapping())
          .put(BatchNormalization.class, new BatchNormMapping())
          .put(SubsamplingLayer.class, new SubsamplingMapping())
          .put(Pooling2D.class, new SubsamplingMapping())
          .put(Subsampling1DLayer.class, new SubsamplingMapping())
          .put(Pooling1D.class, new SubsamplingMapping())
          .put(GlobalPoolingLayer.class, new GlobalPoolMapping())
          .put(ZeroPaddingLayer.class, new BorderMapping())
          .put(ZeroPadding1DLayer.class, new BorderMapping())
          .put(Cropping2D.class, new BorderMapping())
          .put(Cropping1D.class, new BorderMapping())
          .put(Upsampling2D.class, new BorderMapping())
          .put(Upsampling1D.class, new BorderMapping())
          .put(RepeatVector.class, new RepeatMapping())
          .put(ActivationLayer.class, new ActivationMapping())
          .put(LossLayer.class, new LossMapping())
          .put(CnnLossLayer.class, new ImageLossMapping())
          .put(DropoutLayer.class, LayerMappings::nothing)
          .put(MaskLayer.class, LayerMappings::nothing)
          .buildOrThrow();

  private LayerMappings() {}

  /** What only acts in training, or on masks. */
  private static Value nothing(LayerScope layer, Value input) {
    return input;
  }

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
