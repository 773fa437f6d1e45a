package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.FakeQuantizedNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnx.UnsupportedOnnxException;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxRuntimeMissingException;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A quantized network: the one source from which files, reports and runnable networks are derived.
 *
 * <p>Immutable and thread-safe, as long as nobody writes to the arrays of float parameters.
 *
 * @param graph whether the network is a ComputationGraph
 * @param configuration DL4J's configuration, as JSON
 * @param layers in topological order
 * @param activations the format of each value that is carried as codes, by the name of its node in
 *     the network's graph; values that are only moved have that of their origin; empty if only
 *     weights are quantized
 * @param plan which bit widths were asked for
 * @param provenance how it was made
 * @param attachments what travels with it
 */
public record QuantizedModel(
    boolean graph,
    String configuration,
    ImmutableList<QuantizedLayer> layers,
    ImmutableMap<String, ActivationFormat> activations,
    PrecisionPlan plan,
    Provenance provenance,
    Attachments attachments) {
  /** Returns this model with other attachments. */
  public QuantizedModel with(Attachments other) {
    return new QuantizedModel(graph, configuration, layers, activations, plan, provenance, other);
  }

  /** Returns this model with another account of how it was made. */
  QuantizedModel with(Provenance other) {
    return new QuantizedModel(graph, configuration, layers, activations, plan, other, attachments);
  }

  /**
   * Returns a model with the same formats and the codes of other values, such as those that
   * fine-tuning has left: weights rounded to nearest, biases put on the grids of their sums.
   *
   * @param network with the layers and parameters of {@link #plainNetwork}
   * @throws IllegalArgumentException if a parameter is missing, or one is NaN
   */
  public QuantizedModel withValues(Dl4jNetwork network) {
    return withValues(network, ImmutableMap.of());
  }

  /**
   * Does the same with other formats for some parameters.
   *
   * @param formats by the name of the parameter, {@code layer/key}: one per channel
   */
  public QuantizedModel withValues(
      Dl4jNetwork network, ImmutableMap<String, ImmutableList<NumberFormat>> formats) {
    return new Recoding(this, network, formats).model(network.fingerprint());
  }

  /**
   * Returns what the biases of each integer sum may be, by the name of the parameter, {@code
   * layer/key}; empty if only weights are quantized.
   */
  public ImmutableMap<String, BiasGrid> biasGrids() {
    return Recoding.biasGrids(this);
  }

  /**
   * Returns a new DL4J network that computes the same.
   *
   * <p>If only weights are quantized, its parameters are the numbers that the codes stand for, and
   * it needs nothing of this library. Else it also quantizes and dequantizes the values that are
   * carried as codes, with classes of this library in its configuration. Sums of floats are rounded
   * where those of integers are not, so that a value next to the middle between two codes may
   * become the other one; a network of doubles sums exactly.
   *
   * @throws IllegalArgumentException if the parameters do not fit the configuration
   */
  public Model toNetwork() {
    return network().model();
  }

  /** Returns {@link #toNetwork} as one view of both classes of networks. */
  public Dl4jNetwork network() {
    Dl4jNetwork plain = plainNetwork();
    return activations.isEmpty()
        ? plain
        : FakeQuantizedNetwork.of(plain, GraphReader.read(plain), activations);
  }

  /**
   * Returns the network of {@link #toNetwork} without the quantization of values: weights and
   * biases alone are what the codes stand for. It needs nothing of this library.
   */
  public Dl4jNetwork plainNetwork() {
    long count = layers.stream().mapToLong(QuantizedLayer::parameterCount).sum();
    INDArray parameters = count == 0 ? Nd4j.empty() : Nd4j.create(dataType(), 1, count);
    Dl4jNetwork network = Dl4jNetwork.create(graph, configuration, parameters);
    ImmutableList<Dl4jLayer> targets = network.layers();
    Checks.that(
        targets.size() == layers.size(),
        "layers",
        "be as many as the configuration has, " + targets.size(),
        layers.size());
    for (int i = 0; i < targets.size(); i++) {
      copyInto(layers.get(i), targets.get(i));
    }
    attachments.updaterState().ifPresent(state -> restoreUpdater(network.model(), state));
    return network;
  }

  /**
   * Returns the graph of integers that this model stands for.
   *
   * @throws IllegalStateException if only weights are quantized
   */
  public QuantizedGraph toQuantizedGraph() {
    Checks.state(
        !activations.isEmpty(), "a model of quantized weights alone does not compute in integers");
    return GraphAssembly.assemble(this);
  }

  /**
   * Returns the network that computes in integers.
   *
   * @throws IllegalStateException if only weights are quantized
   * @throws IllegalArgumentException if a sum might exceed 63 bits
   */
  public IntegerNetwork toIntegerNetwork() {
    return IntegerNetwork.of(toQuantizedGraph());
  }

  /**
   * Returns the proved width in bits, sign included, of the widest sum of each layer or vertex that
   * sums in integers; empty if only weights are quantized. Up to 32 bits are summed in {@code int},
   * more in {@code long}.
   */
  public ImmutableMap<String, Integer> accumulatorBits() {
    Map<String, Integer> widest = new LinkedHashMap<>();
    if (!activations.isEmpty()) {
      IntegerNetwork integers = toIntegerNetwork();
      integers
          .accumulatorBits()
          .forEach(
              (node, bits) ->
                  widest.merge(integers.graph().graph().node(node).layer(), bits, Math::max));
    }
    return ImmutableMap.copyOf(widest);
  }

  /**
   * Returns what the model gives: computed in integers, or by DL4J if only weights are quantized.
   * Each call builds the network anew; keep {@link #toIntegerNetwork} to call it often.
   *
   * @param inputs one per input of the network, as DL4J takes them
   * @return one per output
   */
  public ImmutableList<INDArray> output(INDArray... inputs) {
    if (activations.isEmpty()) {
      return plainNetwork().output(inputs);
    }
    IntegerNetwork integers = toIntegerNetwork();
    ImmutableList<String> names = integers.graph().graph().inputs();
    Checks.that(inputs.length == names.size(), "inputs", "be " + names, inputs.length);
    ImmutableMap.Builder<String, Tensor> values = ImmutableMap.builder();
    for (int i = 0; i < inputs.length; i++) {
      values.put(names.get(i), Tensors.of(inputs[i]));
    }
    return integers.outputs(values.buildOrThrow()).values().stream()
        .map(Tensors::toArray)
        .collect(ImmutableList.toImmutableList());
  }

  /**
   * Returns the model in ONNX's form with the default options; see {@link #toOnnx(OnnxOptions)}.
   */
  public OnnxModel toOnnx() {
    return toOnnx(OnnxOptions.defaults());
  }

  /**
   * Returns the model in ONNX's form: with codes between QuantizeLinear and DequantizeLinear, or,
   * if only weights are quantized, with their codes and DequantizeLinear, computing in float. Where
   * it comes from and the plan are in the file's metadata. Formats per channel ({@link
   * org.dl4jquant.precision.Target#INTEGER}) become a scale per axis: the same meaning, which ONNX
   * Runtime computes in float.
   *
   * @throws UnsupportedOnnxException if a layer or a format cannot be written; the message names it
   */
  public OnnxModel toOnnx(OnnxOptions options) {
    return OnnxAssembly.of(this, options);
  }

  /** Writes {@link #toOnnx()} to a file, whole or not at all, and returns it. */
  @CanIgnoreReturnValue
  public OnnxModel exportOnnx(Path file) {
    return exportOnnx(file, OnnxOptions.defaults());
  }

  /**
   * Writes {@link #toOnnx(OnnxOptions)} to a file, whole or not at all, and returns it.
   *
   * @throws UnsupportedOnnxException as above; nothing is written then
   * @throws java.io.UncheckedIOException if writing fails
   */
  @CanIgnoreReturnValue
  public OnnxModel exportOnnx(Path file, OnnxOptions options) {
    OnnxModel model = toOnnx(options);
    model.writeTo(file);
    return model;
  }

  /**
   * Runs the features of all batches in ONNX Runtime and compares: each value that is carried as
   * codes with {@link #toIntegerNetwork}, or the outputs alone with DL4J's if only weights are
   * quantized.
   *
   * @throws OnnxRuntimeMissingException if ONNX Runtime is not on the class path
   * @throws UnsupportedOnnxException if the model cannot be written
   */
  public OnnxComparison verifyOnnx(DataSetIterator data) {
    return OnnxChecks.all(OnnxChecks.verification(this), data);
  }

  /**
   * Does the same with a file that {@link #exportOnnx} wrote.
   *
   * @throws org.dl4jquant.onnxruntime.InvalidOnnxException if it is no ONNX model that can be run
   *     here, or not one that this library wrote
   * @throws IllegalArgumentException if it is the file of another network
   */
  public OnnxComparison verifyOnnx(DataSetIterator data, Path file) {
    return OnnxChecks.all(OnnxChecks.verification(this, file), data);
  }

  /** Does the same with several inputs. */
  public OnnxComparison verifyOnnx(MultiDataSetIterator data) {
    return OnnxChecks.all(OnnxChecks.verification(this), data);
  }

  /** Does the same with several inputs. */
  public OnnxComparison verifyOnnx(MultiDataSetIterator data, Path file) {
    return OnnxChecks.all(OnnxChecks.verification(this, file), data);
  }

  private static void copyInto(QuantizedLayer source, Dl4jLayer target) {
    Checks.that(
        source.name().equals(target.name())
            && source.parameters().size() == target.parameters().size(),
        "layer " + target.name(),
        "have " + target.parameters().size() + " parameters",
        source.name() + " with " + source.parameters().size());
    for (int i = 0; i < target.parameters().size(); i++) {
      QuantizedParameter parameter = source.parameters().get(i);
      Dl4jParameter live = target.parameters().get(i);
      Checks.that(
          parameter.key().equals(live.key()) && parameter.length() == live.value().length(),
          "parameter " + live.name(),
          "have " + live.value().length() + " elements",
          parameter.key() + " with " + parameter.length());
      if (parameter.codes().isPresent()) {
        live.assign(parameter.codes().get().dequantize());
      } else {
        live.value().assign(parameter.values().orElseThrow().reshape(live.value().shape()));
      }
    }
  }

  /** Returns the type of the numbers with which DL4J computes this network. */
  public DataType dataType() {
    return graph
        ? ComputationGraphConfiguration.fromJson(configuration).getDataType()
        : MultiLayerConfiguration.fromJson(configuration).getDataType();
  }

  private static void restoreUpdater(Model model, INDArray state) {
    if (model instanceof MultiLayerNetwork layers) {
      layers.getUpdater(true).setStateViewArray(layers, state.dup(), false);
    } else if (model instanceof ComputationGraph graph) {
      graph.getUpdater(true).setStateViewArray(state.dup());
    }
  }
}
