package org.dl4jquant.onnx;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.onnx.CodeWriter.Clipping;

/** Writes a quantized graph, node by node. */
final class QuantizedWriter {
  private final QuantizedGraph quantized;
  private final NetworkGraph graph;
  private final OnnxOptions options;
  private final GraphWriter writer;
  private final Map<String, String> values = new LinkedHashMap<>();
  private final Map<String, CodeTensor> codes = new LinkedHashMap<>();

  QuantizedWriter(QuantizedGraph quantized, OnnxOptions options, int opset) {
    this.quantized = quantized;
    this.graph = quantized.graph();
    this.options = options;
    this.writer = new GraphWriter(opset);
  }

  GraphWriter write() {
    graph.nodes().forEach(node -> writer.unique(node.name()));
    for (Node node : graph.nodes()) {
      try {
        write(node);
      } catch (IllegalArgumentException e) {
        throw new UnsupportedOnnxException(node.op().kind(), node.name(), e);
      }
    }
    for (String output : graph.outputs()) {
      writer.output(value(output), DataType.FLOAT, graph.shape(output));
    }
    return writer;
  }

  /** Returns where the codes of each node are, once they are written. */
  Map<String, CodeTensor> codes() {
    return codes;
  }

  private String value(String node) {
    return values.getOrDefault(node, node);
  }

  private boolean coded(String node) {
    return quantized.carrier(node) == Carrier.CODES;
  }

  private void write(Node node) {
    String name = node.name();
    if (node.op() instanceof Input) {
      writer.input(name, graph.shape(name));
      if (coded(name)) {
        String result = writer.unique(name + "/dequantized");
        quantize(node, name, ScalarFunction.identity(), Clipping.NEEDED, result);
        values.put(name, result);
      }
    } else if (coded(name) && node.op() instanceof Activation a && a.function().clips()) {
      Clipping clipping = coded(node.input()) ? Clipping.ALWAYS : Clipping.NEEDED;
      quantize(node, value(node.input()), a.function(), clipping, name);
    } else if (coded(name)) {
      boolean kept = node.op().keepsCodes() && coded(node.input());
      String computed = compute(node, writer.unique(name + "/value"));
      Clipping clipping = kept ? Clipping.NONE : Clipping.NEEDED;
      quantize(node, computed, ScalarFunction.identity(), clipping, name);
    } else {
      compute(node, name);
    }
  }

  private void quantize(
      Node node, String value, ScalarFunction clip, Clipping clipping, String result) {
    ActivationFormat format = format(node.name());
    CodeWriter code =
        new CodeWriter(
            writer,
            node,
            format,
            quantized.newLevels(node.name()),
            options.signedCodes(),
            graph.shape(node.name()).rank());
    String stored = writer.unique(node.name() + "/codes");
    code.write(value, clip, clipping, stored, result);
    codes.put(node.name(), new CodeTensor(stored, code.container(), format));
  }

  private ActivationFormat format(String node) {
    return quantized
        .format(node)
        .orElseThrow(() -> new IllegalStateException("no format of '" + node + "'"));
  }

  private String compute(Node node, String out) {
    List<String> inputs = node.inputs().stream().map(this::value).toList();
    Parameters parameters = Parameters.NONE;
    if (node.op() instanceof Weighted op) {
      var weights = quantized.weights(node.name());
      if (weights.isPresent()) {
        parameters =
            new QuantizedParameters(
                writer,
                options.constants(writer),
                node.name(),
                op,
                weights.get(),
                format(node.input()));
      } else {
        parameters = new Parameters.Floats(writer, node.name(), op);
        inputs = coded(node.input()) ? List.of(shielded(node, inputs.get(0))) : inputs;
      }
    }
    return node.op()
        .accept(
            new OpWriter(
                writer, node, inputs, OnnxExport.shapes(graph, node), parameters, options, out));
  }

  /**
   * Returns the same value as the result of something that is not DequantizeLinear: ONNX Runtime
   * would else quantize float weights that stand between a DequantizeLinear and a QuantizeLinear.
   */
  private String shielded(Node node, String value) {
    return writer.shield(value, writer.unique(node.name() + "/floats"));
  }
}
