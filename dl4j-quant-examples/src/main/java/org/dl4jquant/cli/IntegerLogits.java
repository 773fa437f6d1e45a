package org.dl4jquant.cli;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.cli.LogitsNetwork.Last;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Softmax;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An integer network that gives the values before its last softmax or sigmoid; one without gives
 * its output.
 *
 * @param last where the activation was taken away
 */
record IntegerLogits(IntegerNetwork network, Last last) {
  /** Prepares a model for its output of this index. */
  static IntegerLogits of(QuantizedModel model, int index) {
    QuantizedGraph quantized = GraphChange.only(model.toQuantizedGraph(), index);
    Optional<Node> end = end(quantized.graph());
    if (end.isPresent()) {
      Last last = end.get().op() instanceof Softmax ? Last.SOFTMAX : Last.SIGMOID;
      return new IntegerLogits(IntegerNetwork.of(without(end.get(), quantized)), last);
    }
    LogitsNetwork inside = LogitsNetwork.of(model.plainNetwork().model(), index);
    return new IntegerLogits(
        IntegerNetwork.of(
            inside.last() == Last.OTHER
                ? quantized
                : GraphChange.only(
                    withConfiguration(model, inside.network().configuration()).toQuantizedGraph(),
                    index)),
        inside.last());
  }

  /** Returns the last softmax or sigmoid, if nothing but movement follows. */
  private static Optional<Node> end(NetworkGraph graph) {
    Node node = graph.node(graph.outputs().get(0));
    while (moves(node.op())) {
      node = graph.node(node.input());
    }
    boolean sigmoid =
        node.op() instanceof Activation activation
            && activation.function().equals(ScalarFunction.Smooth.SIGMOID);
    boolean alone = graph.consumers(node.name()).size() <= 1;
    return (sigmoid || node.op() instanceof Softmax) && alone
        ? Optional.of(node)
        : Optional.empty();
  }

  private static boolean moves(Op op) {
    return op instanceof Permute
        || op instanceof Reshape
        || op instanceof Flatten
        || (op instanceof Activation activation
            && activation.function().equals(ScalarFunction.identity()));
  }

  private static QuantizedGraph without(Node end, QuantizedGraph quantized) {
    NetworkGraph graph = quantized.graph();
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (!node.equals(end)) {
        nodes.add(new Node(node.name(), node.op(), without(end, node.inputs()), node.layer()));
      }
    }
    return GraphChange.of(quantized, nodes, without(end, graph.outputs()));
  }

  private static ImmutableList<String> without(Node end, List<String> names) {
    return names.stream()
        .map(name -> name.equals(end.name()) ? end.input() : name)
        .collect(toImmutableList());
  }

  /** The activation is inside a layer that DL4J runs. */
  private static QuantizedModel withConfiguration(QuantizedModel model, String configuration) {
    return new QuantizedModel(model.content().withConfiguration(configuration));
  }

  /** Returns the values for some examples. */
  INDArray output(INDArray... inputs) {
    ImmutableList<String> names = network.graph().graph().inputs();
    return Tensors.toArray(
        network.outputs(InputTensors.of(names, inputs)).values().asList().get(0));
  }
}
