package org.dl4jquant.onnxlayers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnx.UnsupportedOnnxException;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions;
import org.dl4jquant.tensor.Tensor;

/** The float export of a graph in ONNX Runtime beside what DL4J gives. */
public final class OnnxFloats {
  private static final float TOLERANCE = 1e-4f;

  /** What ONNX has no operation for, or nobody taught; each refused by the name of its node. */
  private static final Set<String> REFUSED =
      Set.of(
          "VariationalAutoencoder '",
          "SelfAttentionLayer '",
          "RecurrentAttentionLayer '",
          "LocallyConnected1D '",
          "LocallyConnected2D '",
          "Convolution3D '",
          "Deconvolution3D '",
          "LSTM 'layer0' cannot be written as ONNX: nothing in ONNX is known for layers of kind"
              + " MaskZeroLayer",
          "SpaceToDepthLayer '",
          "DenseLayer 'layer0' cannot be written as ONNX: nothing in ONNX is known", // layer norm
          "SubsamplingLayer 'layer0' cannot be written as ONNX: nothing in ONNX is known", // p-norm
          "GlobalPoolingLayer '", // p-norm
          "ConvolutionLayer 'layer0' cannot be written as ONNX: input must be no steps",
          "RnnOutputLayer '", // functions without integer form
          "SubsetVertex '",
          "ReshapeVertex '",
          "L2Vertex '",
          "Turning 'layer1/input' cannot be written as ONNX: nothing in ONNX is known for this",
          "MaxPool 'layer0' cannot be written as ONNX: some windows see nothing but padding",
          "AveragePool 'layer0' cannot be written as ONNX: ");

  private OnnxFloats() {}

  /**
   * Checks that what ONNX Runtime computes is within 1e-4 of DL4J's outputs, relative to their
   * largest magnitude where that exceeds 1, or that the file is refused for a kind that is known to
   * be.
   *
   * @param expected by output
   */
  public static void check(
      NetworkGraph graph, Map<String, Tensor> inputs, Map<String, Tensor> expected) {
    for (int opset : List.of(17, 21)) {
      OnnxOptions options =
          OnnxOptions.builder().opset(opset).floatFunctions(LayerExport.FLOATS).build();
      OnnxModel model;
      try {
        model = OnnxExport.ofFloat(graph, options);
      } catch (UnsupportedOnnxException e) {
        requireKnown(String.valueOf(e.getMessage()));
        continue;
      }
      try (OnnxNetwork network = OnnxNetwork.of(model, OnnxRuntimeOptions.DEFAULTS)) {
        Map<String, Tensor> found = network.outputs(inputs);
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, tensor) -> checkSame(name, tensor, found.get(name)));
      }
    }
  }

  private static void requireKnown(String message) {
    assertTrue(REFUSED.stream().anyMatch(message::startsWith), message);
  }

  private static void checkSame(String name, Tensor expected, Tensor found) {
    assertEquals(expected.length(), found.length(), name);
    float largest = 1;
    for (float value : expected.values()) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length(); i++) {
      assertEquals(expected.values()[i], found.values()[i], TOLERANCE * largest, name);
    }
  }
}
