package org.dl4jquant.cli;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;

/** Changes the nodes of a quantized graph and keeps the formats and weights. */
final class GraphChange {
  private GraphChange() {}

  /** Returns the graph without what only other outputs need; all inputs stay. */
  static QuantizedGraph only(QuantizedGraph quantized, int output) {
    NetworkGraph graph = quantized.graph();
    if (graph.outputs().size() == 1) {
      return quantized;
    }
    String wanted = graph.outputs().get(output);
    Set<String> needed = new HashSet<>(graph.inputs());
    needed.add(wanted);
    for (Node node : graph.nodes().reverse()) {
      if (needed.contains(node.name())) {
        needed.addAll(node.inputs());
      }
    }
    return of(
        quantized,
        graph.nodes().stream().filter(node -> needed.contains(node.name())).toList(),
        List.of(wanted));
  }

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
