package org.dl4jquant.onnx;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.jspecify.annotations.Nullable;

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
    return ofWeights(graph, ImmutableMap.of(), options);
  }

  /**
   * Returns the network with float values and integer weights, each followed by DequantizeLinear: a
   * smaller file that computes in float.
   *
   * @param codes by the name of a node, those of its weight; in the weight's shape, with one format
   *     or one per output channel; weights of other nodes are floats
   * @throws UnsupportedOnnxException if an operation cannot be written; the message names its node
   * @throws IllegalArgumentException if codes do not fit the weight of their node
   */
  public static OnnxModel ofWeights(
      NetworkGraph graph, Map<String, QuantizedTensor> codes, OnnxOptions options) {
    codes.forEach((name, tensor) -> requireFits(graph.node(name), tensor));
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
                    parameters(writer, node, codes.get(node.name()), options),
                    options,
                    node.name()));
      }
    }
    graph.outputs().forEach(name -> writer.output(name, DataType.FLOAT, graph.shape(name)));
    return OnnxModel.of(
        writer.build(codes.isEmpty() ? "float" : "weights"),
        opset,
        options,
        ImmutableMap.of(),
        ImmutableMap.of());
  }

  /**
   * Returns the network with integer weights and QuantizeLinear/DequantizeLinear pairs around every
   * value that has a format.
   *
   * <p>The value of a node keeps the node's name and is what the codes stand for; the codes
   * themselves are the tensor {@code <name>/codes}. Codes of up to 8 bits are INT8 or UINT8, with a
   * Clip where they do not fill it; wider ones are whole numbers in floats, from opset 21 INT16 or
   * UINT16. Formats per channel become a scale per axis, which ONNX Runtime computes in float.
   *
   * <p>A runtime gets the codes of the integer network from equal codes, on every element, except
   * at the nodes of {@link OnnxModel#unpromised}.
   *
   * @throws UnsupportedOnnxException if an operation or a format cannot be written
   * @throws IllegalArgumentException if the graph has no integer network
   */
  public static OnnxModel ofQuantized(QuantizedGraph quantized, OnnxOptions options) {
    int opset = options.opset(neededOpset(quantized.graph()));
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

  private static void requireFits(Node node, QuantizedTensor codes) {
    boolean fits =
        node.op() instanceof Weighted op
            && Arrays.equals(op.weight().shape(), codes.shape())
            && (codes.formats().size() == 1
                || codes.granularity().equals(Granularity.perChannel(0)));
    Checks.that(
        fits, "codes of '" + node.name() + "'", "fit its weight", Arrays.toString(codes.shape()));
  }

  private static Parameters parameters(
      GraphWriter writer, Node node, @Nullable QuantizedTensor codes, OnnxOptions options) {
    if (!(node.op() instanceof Weighted op)) {
      return Parameters.NONE;
    }
    return codes == null
        ? new Parameters.Floats(writer, node.name(), op)
        : new Parameters.Codes(writer, options.constants(writer), node.name(), op, codes);
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
