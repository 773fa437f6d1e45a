package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/**
 * One operation of a network.
 *
 * @param name unique in the graph; also the name of the value that the node gives
 * @param inputs names of the nodes whose values it takes, in order
 * @param layer the DL4J layer or vertex that it comes from; several nodes may share one
 */
public record Node(String name, Op op, ImmutableList<String> inputs, String layer) {
  public Node {
    Checks.that(!name.isBlank(), "name", "not be blank", "'" + name + "'");
    Checks.that(
        op.takes(inputs.size()),
        "inputs of " + op.kind() + " '" + name + "'",
        "be as many as it takes",
        inputs);
  }

  /** Returns the same node with another operation. */
  public Node withOp(Op newOp) {
    return new Node(name, newOp, inputs, layer);
  }

  /** Returns the only input. */
  public String input() {
    Checks.state(inputs.size() == 1, "node '%s' has %s inputs, not one", name, inputs.size());
    return inputs.get(0);
  }
}
