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
