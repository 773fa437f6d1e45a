package org.dl4jquant.cli;

import java.util.List;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;

/** Changes the nodes of a quantized graph and keeps the formats and weights. */
final class GraphChange {
  private GraphChange() {}

  /**
   * Returns the graph of other nodes.
   *
   * @param nodes in topological order, by names that {@code quantized} knows
   * @param outputs names of nodes
   */
  static QuantizedGraph of(QuantizedGraph quantized, List<Node> nodes, List<String> outputs) {
    QuantizedGraph.Builder builder =
        QuantizedGraph.builder(NetworkGraph.of(nodes, outputs)).rounding(quantized.rounding());
    for (Node node : nodes) {
      quantized.format(node.name()).ifPresent(format -> builder.format(node.name(), format));
      quantized.weights(node.name()).ifPresent(own -> builder.weights(node.name(), own));
    }
    return builder.build();
  }
}
