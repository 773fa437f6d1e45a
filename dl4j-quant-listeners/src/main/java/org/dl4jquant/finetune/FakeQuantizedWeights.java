package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Computes with the nearest codes of a layer's weights, in training and at inference, while the
 * float weights behind them learn: the gradient passes rounding straight through. The formats stay
 * what they are, as constraints (US20190042948A1, claim 10).
 *
 * <p>In training each forward pass first clips the float weights to the range of their codes, so
 * that none drifts to where its code could not follow back. Weights only; biases stay float. Saved
 * with the network's configuration. Immutable and thread-safe.
 *
 * <pre>{@code
 * QuantizedModel fourBits = Quantization.of(network).weightBits(4).convert();
 * Map<String, String> left = FakeQuantizedWeights.attach(network, fourBits);
 * network.fit(train, 5);
 * FakeQuantizedWeights.settle(network);
 * QuantizedModel tuned = Quantization.of(network).weightBits(4).convert();
 * }</pre>
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
public final class FakeQuantizedWeights implements IWeightNoise {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final TreeMap<String, WeightGrid> grids;

  @JsonCreator
  FakeQuantizedWeights(@JsonProperty("grids") Map<String, WeightGrid> grids) {
    this.grids = new TreeMap<>(grids);
  }

  /**
   * Returns what quantizes the weights of one layer.
   *
   * @throws IllegalArgumentException if none of its weights are codes, or one has another format
   *     than fixed point
   */
  public static FakeQuantizedWeights of(QuantizedLayer layer) {
    Map<String, WeightGrid> grids = new TreeMap<>();
    for (QuantizedParameter parameter : layer.parameters()) {
      if (parameter.role() == ParameterRole.WEIGHT && parameter.codes().isPresent()) {
        String name = layer.name() + "." + parameter.key();
        grids.put(parameter.key(), WeightGrid.of(name, parameter.codes().get()));
      }
    }
    Checks.that(!grids.isEmpty(), "layer " + layer.name(), "have quantized weights", "none");
    return new FakeQuantizedWeights(grids);
  }

  /**
   * Lets every layer whose weights are codes in {@code model} compute with codes of those formats.
   *
   * @param network that the model was made of, without folding
   * @return the layers whose weights are codes but keep computing in floats, with the reason
   * @throws IllegalArgumentException if the network lacks a layer of the model
   */
  @CanIgnoreReturnValue
  public static ImmutableMap<String, String> attach(Model network, QuantizedModel model) {
    ImmutableMap.Builder<String, String> left = ImmutableMap.builder();
    for (QuantizedLayer layer : model.layers()) {
      if (layer.weightBits() == QuantizedLayer.FLOAT_BITS) {
        continue;
      }
      var configuration = configuration(network, layer.name());
      if (configuration instanceof BaseLayer base && hearsWeightNoise(base)) {
        base.setWeightNoise(of(layer));
      } else {
        left.put(layer.name(), "DL4J gives weight noise no say in a " + layer.kind());
      }
    }
    return left.buildOrThrow();
  }

  /** Takes every instance of this class out of the network's layers again. */
  public static void detach(Model network) {
    detach(network, false);
  }

  /**
   * Replaces the float weights by those that the network has computed with, and detaches. A
   * conversion by the same plan then finds codes that stand for exactly these weights.
   */
  public static void settle(Model network) {
    detach(network, true);
  }

  private static void detach(Model network, boolean settles) {
    Layer[] layers =
        network instanceof MultiLayerNetwork plain
            ? plain.getLayers()
            : ((ComputationGraph) network).getLayers();
    for (Layer layer : layers) {
      if (layer.conf().getLayer() instanceof BaseLayer base
          && base.getWeightNoise() instanceof FakeQuantizedWeights own) {
        if (settles) {
          own.grids.forEach(
              (key, grid) -> grid.quantize(layer.getParam(key), layer.getParam(key), false));
        }
        base.setWeightNoise(null);
      }
    }
  }

  private static org.deeplearning4j.nn.conf.layers.Layer configuration(Model model, String name) {
    Layer layer =
        model instanceof MultiLayerNetwork plain
            ? named(plain, name)
            : ((ComputationGraph) model).getLayer(name);
    Checks.that(layer != null, "network", "have the layers of the model", "no " + name);
    return layer.conf().getLayer();
  }

  private static Layer named(MultiLayerNetwork network, String name) {
    int index = network.getLayerNames().indexOf(name);
    Checks.that(index >= 0, "network", "have the layers of the model", "no " + name);
    return network.getLayer(index);
  }

  private static boolean hearsWeightNoise(BaseLayer layer) {
    return !(layer instanceof Convolution1DLayer
        || layer instanceof EmbeddingLayer
        || layer instanceof EmbeddingSequenceLayer
        || layer instanceof BatchNormalization);
  }

  @Override
  public INDArray getParameter(
      Layer layer,
      String key,
      int iteration,
      int epoch,
      boolean training,
      LayerWorkspaceMgr workspaces) {
    INDArray master = layer.getParam(key);
    WeightGrid grid = grids.get(key);
    if (grid == null) {
      return master;
    }
    INDArray weights =
        training
            ? workspaces.dup(ArrayType.INPUT, master, master.ordering()) // read again backwards
            : master.dup(master.ordering());
    return grid.quantize(weights, master, training);
  }

  @Override
  public FakeQuantizedWeights clone() {
    return new FakeQuantizedWeights(grids);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FakeQuantizedWeights that && grids.equals(that.grids);
  }

  @Override
  public int hashCode() {
    return grids.hashCode();
  }

  @Override
  public String toString() {
    return "FakeQuantizedWeights" + grids;
  }
}
