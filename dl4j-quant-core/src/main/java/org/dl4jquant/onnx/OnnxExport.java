package org.dl4jquant.onnx;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;

/**
 * Writes graphs as ONNX models. Inputs, outputs and inner values keep the names of the graph's
 * nodes; the batch is the first axis and may have any size.
 */
public final class OnnxExport {
  private OnnxExport() {}

  /**
   * Returns the network with float weights and values.
   *
   * @throws UnsupportedOnnxException if an operation cannot be written; the message names its node
   */
  public static OnnxModel ofFloat(NetworkGraph graph, OnnxOptions options) {
    int opset = options.opset(neededOpset(graph));
    GraphWriter writer = new GraphWriter(opset);
    graph.nodes().forEach(node -> writer.unique(node.name()));
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Input) {
        writer.input(node.name(), graph.shape(node.name()));
      } else {
        node.op()
            .accept(
                new OpWriter(
                    writer,
                    node,
                    node.inputs(),
                    shapes(graph, node),
                    parameters(writer, node),
                    options.functions(),
                    node.name()));
      }
    }
    graph.outputs().forEach(name -> writer.output(name, DataType.FLOAT, graph.shape(name)));
    return OnnxModel.of(
        writer.build("float"), opset, options, ImmutableMap.of(), ImmutableMap.of());
  }

  /**
   * Returns the network with integer weights and QuantizeLinear/DequantizeLinear pairs around every
   * value that has a format.
   *
   * <p>The value of a node keeps the node's name and is what the codes stand for; the codes
   * themselves are the tensor {@code <name>/codes}. Codes of up to 8 bits are INT8 or UINT8, with a
   * Clip where they do not fill it; wider ones are INT16 or UINT16 and need opset 21. Formats per
   * channel become a scale per axis, which ONNX Runtime computes in float.
   *
   * <p>A runtime gets the codes of the integer network from equal codes, on every element, except
   * at the nodes of {@link OnnxModel#unpromised}.
   *
   * @throws UnsupportedOnnxException if an operation or a format cannot be written
   * @throws IllegalArgumentException if the graph has no integer network
   */
  public static OnnxModel ofQuantized(QuantizedGraph quantized, OnnxOptions options) {
    boolean wide =
        quantized.graph().nodes().stream()
            .anyMatch(
                node ->
                    quantized
                        .format(node.name())
                        .filter(format -> format.bitWidth() > Byte.SIZE)
                        .isPresent());
    int needed = wide ? Opset.SIXTEEN_BITS : neededOpset(quantized.graph());
    int opset = options.opset(needed);
    QuantizedWriter quantizedWriter = new QuantizedWriter(quantized, options, opset);
    GraphWriter writer = quantizedWriter.write();
    return OnnxModel.of(
        writer.build("quantized"),
        opset,
        options,
        ImmutableMap.of(CodeTensor.KEY, CodeTensor.toJson(quantizedWriter.codes())),
        Promises.missing(quantized));
  }

  /**
   * Returns the nodes whose codes a runtime may compute differently from equal codes, each with the
   * reason; they are the same for every file made of this graph.
   */
  public static ImmutableMap<String, String> unpromised(QuantizedGraph quantized) {
    return Promises.missing(quantized);
  }

  private static Parameters parameters(GraphWriter writer, Node node) {
    return node.op() instanceof Weighted op
        ? new Parameters.Floats(writer, node.name(), op)
        : Parameters.NONE;
  }

  static List<Shape> shapes(NetworkGraph graph, Node node) {
    return node.inputs().stream().map(graph::shape).collect(toImmutableList());
  }

  static int neededOpset(NetworkGraph graph) {
    boolean dilated =
        graph.nodes().stream()
            .anyMatch(
                node ->
                    node.op() instanceof AveragePool pool
                        && !pool.window().dilation().equals(Extent.ONE));
    return dilated ? Opset.DILATED_AVERAGE_POOL : Opset.OLDEST;
  }
}
