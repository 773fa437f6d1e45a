package org.dl4jquant.calibrate;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Weighted;

/** Which values can need a number format of their own. */
final class ObservedNodes {
  private ObservedNodes() {}

  static ImmutableList<Node> of(NetworkGraph graph) {
    return graph.nodes().stream()
        .filter(node -> !node.op().keepsCodes() && !isSaturated(graph, node))
        .collect(toImmutableList());
  }

  /** Sums that only a clipping activation takes become codes there. */
  private static boolean isSaturated(NetworkGraph graph, Node node) {
    return (node.op() instanceof Weighted || node.op() instanceof Add)
        && graph
            .soleConsumer(node.name())
            .filter(next -> next.op() instanceof Activation a && a.function().clips())
            .isPresent();
  }
}
