package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
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
import org.dl4jquant.convert.BiasGrid;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
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
 * that none drifts to where its code could not follow back. Biases stay float unless a fine-tuning
 * run attaches it, see {@link MixedPrecisionFineTuning}. Saved with the network's configuration.
 * Immutable and thread-safe.
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

  @JsonProperty private final TreeMap<String, ParameterGrid> grids;

  @JsonCreator
  FakeQuantizedWeights(@JsonProperty("grids") Map<String, ParameterGrid> grids) {
    this.grids = new TreeMap<>(grids);
  }

  /**
   * Returns what quantizes the weights of one layer.
   *
   * @throws IllegalArgumentException if none of its weights are codes, or one has another format
   *     than fixed point, affine or a codebook
   */
  public static FakeQuantizedWeights of(QuantizedLayer layer) {
    return of(layer, ImmutableMap.of());
  }

  /**
   * Returns what quantizes the weights of one layer, and those of its biases that integer sums use.
   *
   * @param biasGrids of a model, see {@link QuantizedModel#biasGrids}
   */
  static FakeQuantizedWeights of(QuantizedLayer layer, Map<String, BiasGrid> biasGrids) {
    Map<String, ParameterGrid> grids = new TreeMap<>();
    boolean weights = false;
    for (QuantizedParameter parameter : layer.parameters()) {
      BiasGrid sum = biasGrids.get(layer.name() + "/" + parameter.key());
      if (parameter.role() == ParameterRole.WEIGHT && parameter.codes().isPresent()) {
        String name = layer.name() + "." + parameter.key();
        grids.put(parameter.key(), grid(name, parameter.codes().get()));
        weights = true;
      } else if (parameter.role() == ParameterRole.BIAS && sum != null) {
        grids.put(parameter.key(), BiasRounding.of(sum));
      }
    }
    Checks.that(weights, "layer " + layer.name(), "have quantized weights", "none");
    return new FakeQuantizedWeights(grids);
  }

  Map<String, ParameterGrid> grids() {
    return grids;
  }

  static ParameterGrid grid(String name, QuantizedTensor codes) {
    NumberFormat first = codes.formats().get(0);
    if (first instanceof Codebook) {
      return LevelGrid.of(name, codes);
    }
    return first instanceof AffineParameters
        ? AffineGrid.of(name, codes)
        : WeightGrid.of(name, codes);
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
    return attach(network, model, ImmutableMap.of(), name -> name);
  }

  /**
   * Does the same where layers may have moved.
   *
   * @param moved gives the name in the network of a layer of the model
   */
  @CanIgnoreReturnValue
  static ImmutableMap<String, String> attach(
      Model network,
      QuantizedModel model,
      Map<String, BiasGrid> biasGrids,
      UnaryOperator<String> moved) {
    ImmutableMap.Builder<String, String> left = ImmutableMap.builder();
    for (QuantizedLayer layer : model.layers()) {
      if (layer.weightBits() == QuantizedLayer.FLOAT_BITS) {
        continue;
      }
      var configuration = known(network, moved.apply(layer.name()));
      if (configuration instanceof BaseLayer base && hearsWeightNoise(base)) {
        base.setWeightNoise(of(layer, biasGrids));
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
          own.grids.forEach((key, grid) -> grid.quantize(layer.getParam(key), layer.getParam(key)));
        }
        base.setWeightNoise(null);
      }
    }
  }

  /** Returns the live configuration of a layer, if the network has a layer of that name. */
  static Optional<org.deeplearning4j.nn.conf.layers.Layer> configuration(Model model, String name) {
    Layer found = null;
    if (model instanceof MultiLayerNetwork plain) {
      int index = plain.getLayerNames().indexOf(name);
      found = index < 0 ? null : plain.getLayer(index);
    } else if (((ComputationGraph) model).getVertex(name) != null) {
      found = ((ComputationGraph) model).getLayer(name);
    }
    return Optional.ofNullable(found).map(layer -> layer.conf().getLayer());
  }

  private static org.deeplearning4j.nn.conf.layers.Layer known(Model model, String name) {
    return configuration(model, name)
        .orElseThrow(
            () -> Checks.violated("network", "have the layers of the model", "no " + name));
  }

  /** Returns whether a layer of the network asks its weight noise for weights. */
  static boolean hearsWeightNoise(Model network, String layer) {
    return known(network, layer) instanceof BaseLayer base && hearsWeightNoise(base);
  }

  /** Returns the grid of a parameter, if it has one. */
  static Optional<ParameterGrid> grid(Model network, String layer, String key) {
    return configuration(network, layer)
        .filter(found -> found instanceof BaseLayer)
        .map(found -> ((BaseLayer) found).getWeightNoise())
        .filter(noise -> noise instanceof FakeQuantizedWeights)
        .map(noise -> ((FakeQuantizedWeights) noise).grids.get(key));
  }

  /** Puts another grid in the place of the one of a parameter. */
  static void replace(Model network, String layer, String key, ParameterGrid grid) {
    BaseLayer base = (BaseLayer) known(network, layer);
    Map<String, ParameterGrid> grids =
        new TreeMap<>(((FakeQuantizedWeights) base.getWeightNoise()).grids);
    grids.put(key, grid);
    base.setWeightNoise(new FakeQuantizedWeights(grids));
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
    ParameterGrid grid = grids.get(key);
    if (grid == null) {
      return master;
    }
    long[] shape = master.shape();
    if (!training) {
      INDArray weights = Nd4j.createUninitialized(master.dataType(), shape, master.ordering());
      grid.quantize(master, weights);
      return weights;
    }
    INDArray weights = // of the inputs, because it is read again backwards
        workspaces.createUninitialized(
            ArrayType.INPUT, master.dataType(), shape, master.ordering());
    grid.clip(master);
    grid.quantize(master, weights);
    return weights;
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
