package org.dl4jquant.calibrate;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Weighted;

/**
 * Which values can need a number format of their own, or tell more than those they are made of: a
 * maximum has another mean.
 */
final class ObservedNodes {
  private ObservedNodes() {}

  static ImmutableList<Node> of(NetworkGraph graph) {
    return graph.nodes().stream()
        .filter(node -> isMaximum(node) || !node.op().keepsCodes())
        .filter(node -> !isSaturated(graph, node))
        .collect(toImmutableList());
  }

  private static boolean isMaximum(Node node) {
    return node.op() instanceof MaxPool
        || (node.op() instanceof GlobalPool pool && pool.reduction() == GlobalPool.Reduction.MAX);
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
