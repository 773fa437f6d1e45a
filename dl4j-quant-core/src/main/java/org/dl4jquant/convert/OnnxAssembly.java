package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Node;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnxlayers.LayerExport;
import org.dl4jquant.tensor.QuantizedTensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes ONNX models of networks and quantized models, with where they come from. */
public final class OnnxAssembly {
  private static final Logger log = LoggerFactory.getLogger(OnnxAssembly.class);
  private static final String PREFIX = "dl4j-quant.";

  private OnnxAssembly() {}

  /**
   * Returns a network as it is, in float.
   *
   * @throws org.dl4jquant.onnx.UnsupportedOnnxException if a layer cannot be written; the message
   *     names it
   */
  public static OnnxModel ofFloat(Dl4jNetwork network, OnnxOptions options) {
    OnnxOptions all =
        options.toBuilder()
            .addFloatFunctions(LayerExport.FLOATS)
            .metadata(PREFIX + "library", Provenance.LIBRARY)
            .metadata(PREFIX + "deeplearning4j", Provenance.DEEPLEARNING4J)
            .metadata(PREFIX + "source", network.fingerprint())
            .build();
    return OnnxExport.ofFloat(GraphReader.read(network).graph(), all);
  }

  static OnnxModel of(QuantizedModel model, OnnxOptions options) {
    OnnxOptions all =
        options.toBuilder()
            .addFloatFunctions(LayerExport.of(codes(model)))
            .metadata(PREFIX + "library", model.provenance().library())
            .metadata(PREFIX + "deeplearning4j", model.provenance().deeplearning4j())
            .metadata(PREFIX + "source", model.provenance().sourceSha256())
            .metadata(PREFIX + "weightStrategy", model.provenance().weightStrategy())
            .metadata(PREFIX + "activationStrategy", model.provenance().activationStrategy())
            .metadata(PREFIX + "plan", model.plan().toJson())
            .build();
    if (!model.activations().values().stream().allMatch(ActivationFormat::perTensor)) {
      log.warn(
          "values have a format per channel, which ONNX Runtime computes in float;"
              + " convert with target(Target.ONNX) for its integer kernels");
    }
    return model.activations().isEmpty()
        ? ofWeights(model, all)
        : OnnxExport.ofQuantized(model.toQuantizedGraph(), all);
  }

  private static OnnxModel ofWeights(QuantizedModel model, OnnxOptions options) {
    NetworkImage image = GraphReader.read(model.plainNetwork());
    IntegerWeights weights = new IntegerWeights(image, model.layers());
    ImmutableMap.Builder<String, QuantizedTensor> codes = ImmutableMap.builder();
    for (Node node : image.graph().nodes()) {
      if (image.weights().containsKey(node.name())) {
        weights.of(node.name()).ifPresent(found -> codes.put(node.name(), found));
      }
    }
    return OnnxExport.ofWeights(image.graph(), codes.buildOrThrow(), options);
  }

  private static ImmutableMap<String, QuantizedTensor> codes(QuantizedModel model) {
    ImmutableMap.Builder<String, QuantizedTensor> codes = ImmutableMap.builder();
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter parameter : layer.parameters()) {
        parameter
            .codes()
            .filter(c -> c.formats().stream().allMatch(UniformFormat.class::isInstance))
            .ifPresent(c -> codes.put(layer.name() + "/" + parameter.key(), c));
      }
    }
    return codes.buildOrThrow();
  }
}
