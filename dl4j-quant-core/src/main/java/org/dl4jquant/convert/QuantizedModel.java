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
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A quantized network: the one source from which files, reports and runnable networks are derived.
 * The façade gives one that also reports and saves itself, {@code org.dl4jquant.QuantizedModel}.
 *
 * <p>Immutable and thread-safe, as long as nobody writes to the arrays of float parameters.
 */
public class QuantizedModel {
  private final ModelContent content;

  /** Returns the model of this content. */
  public QuantizedModel(ModelContent content) {
    this.content = content;
  }

  /** Returns all that this is made of. */
  public final ModelContent content() {
    return content;
  }

  /** Returns whether the network is a ComputationGraph. */
  public final boolean graph() {
    return content.graph();
  }

  /** Returns DL4J's configuration, as JSON. */
  public final String configuration() {
    return content.configuration();
  }

  /** Returns the layers in topological order. */
  public final ImmutableList<QuantizedLayer> layers() {
    return content.layers();
  }

  /** Returns the formats of values, see {@link ModelContent#activations}. */
  public final ImmutableMap<String, ActivationFormat> activations() {
    return content.activations();
  }

  /** Returns which bit widths were asked for. */
  public final PrecisionPlan plan() {
    return content.plan();
  }

  /** Returns how it was made. */
  public final Provenance provenance() {
    return content.provenance();
  }

  /** Returns what travels with it. */
  public final Attachments attachments() {
    return content.attachments();
  }

  /** Returns this model with other attachments. */
  public QuantizedModel with(Attachments other) {
    return new QuantizedModel(content.with(other));
  }

  /** Returns this model with another account of how it was made. */
  final QuantizedModel with(Provenance other) {
    return new QuantizedModel(content.with(other));
  }

  /** Returns whether the other is a model of the same content. */
  @Override
  public final boolean equals(Object other) {
    return other instanceof QuantizedModel that && content.equals(that.content);
  }

  @Override
  public final int hashCode() {
    return content.hashCode();
  }

  @Override
  public String toString() {
    return "QuantizedModel[" + content + "]";
  }

  /**
   * Returns a model with the same formats and the codes of other values, such as those that
   * fine-tuning has left: weights rounded to nearest, biases put on the grids of their sums.
   *
   * @param network with the layers and parameters of {@link #plainNetwork}
   * @throws IllegalArgumentException if a parameter is missing, or one is NaN
   */
  public final QuantizedModel withValues(Dl4jNetwork network) {
    return withValues(network, ImmutableMap.of());
  }

  /**
   * Does the same with other formats for some parameters.
   *
   * @param formats by the name of the parameter, {@code layer/key}: one per channel
   */
  public final QuantizedModel withValues(
      Dl4jNetwork network, ImmutableMap<String, ImmutableList<NumberFormat>> formats) {
    return withValues(network, formats, ImmutableMap.of());
  }

  /**
   * Does the same with other formats for some values, too; biases go to the grids of the sums that
   * follow from them.
   *
   * @param values the formats of values that are codes here, by their names in {@link #activations}
   * @throws IllegalArgumentException as above, or if a value is not one of codes, or changes its
   *     bits or between one format and one per channel
   */
  public final QuantizedModel withValues(
      Dl4jNetwork network,
      ImmutableMap<String, ImmutableList<NumberFormat>> formats,
      ImmutableMap<String, ActivationFormat> values) {
    QuantizedModel other = new QuantizedModel(content.withFormats(values));
    return new Recoding(other, network, formats).model(network.fingerprint());
  }

  /**
   * Returns a model whose logarithmic values have levels searched again in what was seen of them,
   * as many as before, on grids as wide as before. A value keeps its own if no levels fit, or
   * nothing was seen of it or of one that shares them. Biases move to the new grids of their sums.
   *
   * @param seen histograms of logarithms, by the node of the value
   */
  public final QuantizedModel withLevels(Map<String, LogBins> seen) {
    ImmutableMap<String, ActivationFormat> formats = LogarithmicFormats.again(this, seen);
    return formats.equals(activations())
        ? this
        : new Recoding(new QuantizedModel(content.with(formats)), plainNetwork(), ImmutableMap.of())
            .model(provenance().sourceSha256());
  }

  /**
   * Returns what the biases of each integer sum may be, by the name of the parameter, {@code
   * layer/key}; empty if only weights are quantized, or formats are affine.
   */
  public final ImmutableMap<String, BiasGrid> biasGrids() {
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
  public final Model toNetwork() {
    return network().model();
  }

  /** Returns {@link #toNetwork} as one view of both classes of networks. */
  public final Dl4jNetwork network() {
    Dl4jNetwork plain = plainNetwork();
    return activations().isEmpty()
        ? plain
        : FakeQuantizedNetwork.of(plain, GraphReader.read(plain), activations());
  }

  /**
   * Returns the network of {@link #toNetwork} without the quantization of values: weights and
   * biases alone are what the codes stand for. It needs nothing of this library.
   */
  public final Dl4jNetwork plainNetwork() {
    long count = layers().stream().mapToLong(QuantizedLayer::parameterCount).sum();
    INDArray parameters = count == 0 ? Nd4j.empty() : Nd4j.create(dataType(), 1, count);
    Dl4jNetwork network =
        Dl4jNetwork.create(graph(), configuration(), parameters)
            .withInputShapes(content.inputShapes());
    ImmutableList<Dl4jLayer> targets = network.layers();
    Checks.that(
        targets.size() == layers().size(),
        "layers",
        "be as many as the configuration has, " + targets.size(),
        layers().size());
    for (int i = 0; i < targets.size(); i++) {
      copyInto(layers().get(i), targets.get(i));
    }
    attachments().updaterState().ifPresent(state -> restoreUpdater(network.model(), state));
    return network;
  }

  /**
   * Returns the graph of integers that this model stands for.
   *
   * @throws IllegalStateException if only weights are quantized
   */
  public final QuantizedGraph toQuantizedGraph() {
    Checks.state(
        !activations().isEmpty(),
        "a model of quantized weights alone does not compute in integers");
    return GraphAssembly.assemble(this);
  }

  /**
   * Returns the network that computes in integers.
   *
   * @throws IllegalStateException if only weights are quantized
   * @throws IllegalArgumentException if a sum might exceed 63 bits
   */
  public final IntegerNetwork toIntegerNetwork() {
    return IntegerNetwork.of(toQuantizedGraph());
  }

  /**
   * Returns the proved width in bits, sign included, of the widest sum of each layer or vertex that
   * sums in integers; empty if only weights are quantized. Up to 32 bits are summed in {@code int},
   * more in {@code long}.
   */
  public final ImmutableMap<String, Integer> accumulatorBits() {
    Map<String, Integer> widest = new LinkedHashMap<>();
    if (!activations().isEmpty()) {
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
  public final ImmutableList<INDArray> output(INDArray... inputs) {
    if (activations().isEmpty()) {
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
  public final OnnxModel toOnnx() {
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
  public final OnnxModel toOnnx(OnnxOptions options) {
    return OnnxAssembly.of(this, options);
  }

  /** Writes {@link #toOnnx()} to a file, whole or not at all, and returns it. */
  @CanIgnoreReturnValue
  public final OnnxModel exportOnnx(Path file) {
    return exportOnnx(file, OnnxOptions.defaults());
  }

  /**
   * Writes {@link #toOnnx(OnnxOptions)} to a file, whole or not at all, and returns it.
   *
   * @throws UnsupportedOnnxException as above; nothing is written then
   * @throws java.io.UncheckedIOException if writing fails
   */
  @CanIgnoreReturnValue
  public final OnnxModel exportOnnx(Path file, OnnxOptions options) {
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
  public final OnnxComparison verifyOnnx(DataSetIterator data) {
    return OnnxChecks.all(OnnxChecks.verification(this), data);
  }

  /**
   * Does the same with a file that {@link #exportOnnx} wrote.
   *
   * @throws org.dl4jquant.onnxruntime.InvalidOnnxException if it is no ONNX model that can be run
   *     here, or not one that this library wrote
   * @throws IllegalArgumentException if it is the file of another network
   */
  public final OnnxComparison verifyOnnx(DataSetIterator data, Path file) {
    return OnnxChecks.all(OnnxChecks.verification(this, file), data);
  }

  /** Does the same with several inputs. */
  public final OnnxComparison verifyOnnx(MultiDataSetIterator data) {
    return OnnxChecks.all(OnnxChecks.verification(this), data);
  }

  /** Does the same with several inputs. */
  public final OnnxComparison verifyOnnx(MultiDataSetIterator data, Path file) {
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
  public final DataType dataType() {
    return graph()
        ? ComputationGraphConfiguration.fromJson(configuration()).getDataType()
        : MultiLayerConfiguration.fromJson(configuration()).getDataType();
  }

  private static void restoreUpdater(Model model, INDArray state) {
    if (model instanceof MultiLayerNetwork layers) {
      layers.getUpdater(true).setStateViewArray(layers, state.dup(), false);
    } else if (model instanceof ComputationGraph graph) {
      graph.getUpdater(true).setStateViewArray(state.dup());
    }
  }
}
