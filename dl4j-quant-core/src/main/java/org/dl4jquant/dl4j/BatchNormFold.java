package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/** Folds batch normalization into the layer before it, and rewrites what cannot be folded. */
final class BatchNormFold {
  private static final String WEIGHT = ConvolutionParamInitializer.WEIGHT_KEY;
  private static final String BIAS = ConvolutionParamInitializer.BIAS_KEY;

  private final NetworkEditor editor;
  private final Map<String, Dl4jLayer> layers = new LinkedHashMap<>();
  private final Map<String, Tensor> changed = new HashMap<>();
  private final Map<String, String> folded = new LinkedHashMap<>();
  private final Dl4jNetwork network;

  private BatchNormFold(Dl4jNetwork original) {
    editor = NetworkEditor.of(original);
    original.layers().forEach(layer -> layers.put(layer.name(), layer));
    for (Dl4jLayer layer : layers.values()) {
      if (layer.configuration().orElse(null) instanceof BatchNormalization batchNorm) {
        BatchNormAffine affine = BatchNormAffine.of(layer);
        Optional<Dl4jLayer> producer = producer(layer.name(), batchNorm, affine.channels());
        if (producer.isPresent()) {
          fold(producer.get(), layer.name(), affine);
        } else {
          rewrite(layer.name(), batchNorm, affine);
        }
      }
    }
    network = editor.build(changed);
  }

  static BatchNormFold of(Dl4jNetwork original) {
    return new BatchNormFold(original);
  }

  Dl4jNetwork network() {
    return network;
  }

  ImmutableMap<String, String> folded() {
    return ImmutableMap.copyOf(folded);
  }

  /** Returns the layer that can take the normalization over. */
  private Optional<Dl4jLayer> producer(String name, BatchNormalization batchNorm, int channels) {
    boolean keepsChannels =
        editor.preProcessor(name).isEmpty()
            || editor.preProcessor(name).get() instanceof RnnToFeedForwardPreProcessor;
    return editor
        .layerBefore(name)
        .filter(before -> keepsChannels)
        .map(layers::get)
        .filter(before -> isLinear(before.configuration().orElse(null), batchNorm))
        .filter(before -> outputChannels(before) == channels);
  }

  private static boolean isLinear(@Nullable Layer layer, BatchNormalization next) {
    boolean dense = layer instanceof DenseLayer own && !own.hasLayerNorm();
    boolean convolution =
        layer instanceof ConvolutionLayer own
            && (own.getKernelSize().length != 2
                || own.getCnn2dDataFormat() == next.getCnn2DFormat());
    return (dense || convolution)
        && layer instanceof BaseLayer base
        && base.getActivationFn() instanceof ActivationIdentity;
  }

  private static int outputChannels(Dl4jLayer layer) {
    return parameter(layer, WEIGHT)
        .map(weight -> weight.layout().granularity().channels(shape(weight)))
        .orElse(0);
  }

  private static Optional<Dl4jParameter> parameter(Dl4jLayer layer, String key) {
    return layer.parameters().stream().filter(p -> p.key().equals(key)).findFirst();
  }

  private static int[] shape(Dl4jParameter parameter) {
    return Ints.toArray(parameter.layout().shape());
  }

  private void fold(Dl4jLayer producer, String batchNorm, BatchNormAffine affine) {
    Dl4jParameter weight = parameter(producer, WEIGHT).orElseThrow();
    int[] channelOf = weight.layout().granularity().channelOfEach(shape(weight));
    float[] weights = weight.tensor().values().clone();
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (weights[i] * affine.factors().get(channelOf[i]));
    }
    Optional<Dl4jParameter> bias = parameter(producer, BIAS);
    float[] biases = new float[affine.channels()];
    for (int c = 0; c < biases.length; c++) {
      double before = bias.isPresent() ? bias.get().value().getDouble(c) : 0;
      biases[c] = (float) (affine.factors().get(c) * before + affine.shifts().get(c));
    }
    changed.put(weight.name(), Tensor.of(weights, shape(weight)));
    changed.put(producer.name() + "/" + BIAS, Tensor.of(biases, biases.length));
    Layer layer = editor.layer(producer.name());
    if (layer instanceof DenseLayer dense) {
      dense.setHasBias(true);
    } else {
      ((ConvolutionLayer) layer).setHasBias(true);
    }
    editor.replace(batchNorm, new ActivationLayer(Activation.IDENTITY));
    folded.put(batchNorm, producer.name());
  }

  /** Makes mean and variance 0 and 1, exactly, so that gamma and beta are factor and shift. */
  private void rewrite(String name, BatchNormalization batchNorm, BatchNormAffine affine) {
    BatchNormalization plain = batchNorm.clone();
    plain.setLockGammaBeta(false);
    plain.setUseLogStd(true); // DL4J reads false from its JSON as true
    plain.setEps(0);
    editor.replace(name, plain);
    int channels = affine.channels();
    put(name, BatchNormalizationParamInitializer.GAMMA, floats(affine.factors().toArray()));
    put(name, BatchNormalizationParamInitializer.BETA, floats(affine.shifts().toArray()));
    put(name, BatchNormalizationParamInitializer.GLOBAL_MEAN, new float[channels]);
    put(name, BatchNormalizationParamInitializer.GLOBAL_LOG_STD, new float[channels]);
  }

  private void put(String layer, String key, float[] values) {
    changed.put(layer + "/" + key, Tensor.of(values, values.length));
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
