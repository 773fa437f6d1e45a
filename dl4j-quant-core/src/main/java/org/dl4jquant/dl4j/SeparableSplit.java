package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableSet;
import java.util.HashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/**
 * Splits separable convolutions into their two halves. One with a single input channel becomes the
 * depthwise half, which is all that DL4J computes of it.
 *
 * @param layers that became two
 */
record SeparableSplit(Dl4jNetwork network, ImmutableSet<String> layers) {
  static SeparableSplit of(Dl4jNetwork original) {
    NetworkEditor editor = NetworkEditor.of(original);
    Map<String, Tensor> changed = new HashMap<>();
    ImmutableSet.Builder<String> layers = ImmutableSet.builder();
    boolean changes = false;
    for (Dl4jLayer layer : original.layers()) {
      if (layer.configuration().orElse(null) instanceof SeparableConvolution2D both) {
        String name = layer.name();
        changes = true;
        if (both.getNIn() == 1) {
          editor.replace(name, alone(both));
          changed.put(name + "/W", taps(layer.parameters().get(0).tensor()));
          continue;
        }
        editor.insertBefore(name, name + FoldedNetwork.DEPTHWISE, depthwise(both));
        editor.replace(name, pointwise(both));
        for (Dl4jParameter parameter : layer.parameters()) {
          Tensor value = parameter.tensor();
          switch (parameter.key()) {
            case SeparableConvolutionParamInitializer.DEPTH_WISE_WEIGHT_KEY ->
                changed.put(name + FoldedNetwork.DEPTHWISE + "/W", taps(value));
            case SeparableConvolutionParamInitializer.POINT_WISE_WEIGHT_KEY ->
                changed.put(name + "/W", value);
            default -> changed.put(name + "/b", value);
          }
        }
        layers.add(name);
      }
    }
    return new SeparableSplit(changes ? editor.build(changed) : original, layers.build());
  }

  private static DepthwiseConvolution2D alone(SeparableConvolution2D both) {
    DepthwiseConvolution2D layer = depthwise(both);
    layer.setHasBias(both.hasBias());
    layer.setActivationFn(both.getActivationFn());
    return layer;
  }

  private static DepthwiseConvolution2D depthwise(SeparableConvolution2D both) {
    DepthwiseConvolution2D layer =
        new DepthwiseConvolution2D.Builder()
            .kernelSize(both.getKernelSize())
            .stride(both.getStride())
            .padding(both.getPadding())
            .dilation(both.getDilation())
            .convolutionMode(both.getConvolutionMode())
            .depthMultiplier(both.getDepthMultiplier())
            .dataFormat(both.getCnn2dDataFormat())
            .nIn(both.getNIn())
            .nOut(both.getNIn() * both.getDepthMultiplier())
            .hasBias(false)
            .build();
    copySettings(both, layer);
    layer.setActivationFn(new ActivationIdentity());
    return layer;
  }

  private static ConvolutionLayer pointwise(SeparableConvolution2D both) {
    ConvolutionLayer layer =
        new ConvolutionLayer.Builder(1, 1)
            .stride(1, 1)
            .convolutionMode(both.getConvolutionMode())
            .dataFormat(both.getCnn2dDataFormat())
            .nIn(both.getNIn() * both.getDepthMultiplier())
            .nOut(both.getNOut())
            .hasBias(both.hasBias())
            .build();
    copySettings(both, layer);
    layer.setActivationFn(both.getActivationFn());
    return layer;
  }

  /** Copies what training needs. */
  private static void copySettings(BaseLayer from, BaseLayer to) {
    to.setWeightInitFn(from.getWeightInitFn());
    to.setBiasInit(from.getBiasInit());
    to.setRegularization(from.getRegularization());
    to.setRegularizationBias(from.getRegularizationBias());
    to.setIUpdater(from.getIUpdater());
    to.setBiasUpdater(from.getBiasUpdater());
    to.setGradientNormalization(from.getGradientNormalization());
    to.setGradientNormalizationThreshold(from.getGradientNormalizationThreshold());
  }

  /** Turns [multiplier, in, height, width] into [height, width, in, multiplier]. */
  private static Tensor taps(Tensor weight) {
    int multiplier = weight.size(0);
    int in = weight.size(1);
    int area = weight.size(2) * weight.size(3);
    float[] values = weight.values();
    float[] taps = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int tap = i % area;
      int channel = i / area % in;
      int m = i / (area * in);
      taps[(tap * in + channel) * multiplier + m] = values[i];
    }
    return Tensor.of(taps, weight.size(2), weight.size(3), in, multiplier);
  }
}
