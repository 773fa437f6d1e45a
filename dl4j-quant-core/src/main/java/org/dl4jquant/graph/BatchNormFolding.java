package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.tensor.Tensor;

/**
 * Merges each {@link ChannelAffine} into the weighted operation before it, where that operation's
 * value goes nowhere else: {@code a (W x + b) + s = (a W) x + (a b + s)}. Products are computed in
 * double and rounded to float once.
 *
 * @param graph the graph that computes the same with fewer nodes; the surviving node keeps its name
 * @param folded for each node that vanished the one that took it over
 */
public record BatchNormFolding(NetworkGraph graph, ImmutableMap<String, String> folded) {

  /** Returns {@code graph} with everything folded that can be. */
  public static BatchNormFolding fold(NetworkGraph graph) {
    Map<String, String> folded = new LinkedHashMap<>();
    Map<String, Node> kept = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      Optional<String> producer = producer(graph, node, folded);
      Node target = kept.get(producer.orElse(""));
      if (target != null) {
        folded.put(node.name(), target.name());
        kept.put(target.name(), target.withOp(folded(target.op(), (ChannelAffine) node.op())));
      } else {
        List<String> inputs = new ArrayList<>();
        node.inputs().forEach(input -> inputs.add(folded.getOrDefault(input, input)));
        kept.put(
            node.name(),
            new Node(node.name(), node.op(), ImmutableList.copyOf(inputs), node.layer()));
      }
    }
    List<String> outputs = new ArrayList<>();
    graph.outputs().forEach(output -> outputs.add(folded.getOrDefault(output, output)));
    return new BatchNormFolding(
        NetworkGraph.of(List.copyOf(kept.values()), outputs), ImmutableMap.copyOf(folded));
  }

  private static Optional<String> producer(
      NetworkGraph graph, Node node, Map<String, String> folded) {
    if (!(node.op() instanceof ChannelAffine)) {
      return Optional.empty();
    }
    Node before = graph.node(node.input());
    boolean alone = graph.soleConsumer(before.name()).isPresent();
    return before.op() instanceof Weighted && alone
        ? Optional.of(folded.getOrDefault(before.name(), before.name()))
        : Optional.empty();
  }

  private static Op folded(Op before, ChannelAffine affine) {
    Weighted producer = (Weighted) before;
    ImmutableDoubleArray.Builder factors = ImmutableDoubleArray.builder();
    float[] bias = new float[affine.outputChannels()];
    for (int c = 0; c < bias.length; c++) {
      double factor = affine.weight().values()[c];
      factors.add(factor);
      bias[c] = (float) (factor * producer.bias().values()[c] + affine.bias().values()[c]);
    }
    Weighted scaled = producer.scaledOutputs(factors.build());
    return scaled.withParameters(scaled.weight(), Tensor.of(bias, bias.length));
  }
}
