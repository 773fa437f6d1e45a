package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * Computes a float graph, plainly and slowly: the reference for its transforms. Sums are kept in
 * double, each value is rounded to float. Immutable and thread-safe.
 */
public final class FloatNetwork {
  private final NetworkGraph graph;

  private FloatNetwork(NetworkGraph graph) {
    this.graph = graph;
  }

  /** Returns a network that computes {@code graph}. */
  public static FloatNetwork of(NetworkGraph graph) {
    return new FloatNetwork(graph);
  }

  /**
   * Returns the first output for the only input.
   *
   * @param input batch first, then the shape that the graph declares
   */
  public Tensor output(Tensor input) {
    Checks.state(graph.inputs().size() == 1, "the network has inputs %s", graph.inputs());
    return values(values(Map.of(graph.inputs().get(0), input)), graph.outputs()).get(0);
  }

  /** Returns the values of all nodes by name. */
  public ImmutableMap<String, Tensor> values(Map<String, Tensor> inputs) {
    graph.shapes(Maps.transformValues(inputs, t -> Shape.ofBatch(t.shape())));
    Map<String, Tensor> values = new LinkedHashMap<>(inputs);
    for (Node node : graph.nodes()) {
      if (!node.inputs().isEmpty()) {
        ImmutableList<Tensor> of = values(values, node.inputs());
        Shape shape = node.op().outputShape(shapesOf(of));
        values.put(node.name(), node.op().accept(new FloatOps(of, shape)));
      }
    }
    return ImmutableMap.copyOf(values);
  }

  /**
   * Returns the values of some nodes, computed from what is known with as few operations as it
   * takes.
   *
   * @param known values by node, batch first; a known value is not computed again
   * @throws IllegalArgumentException if an input is needed that is not known
   */
  public ImmutableMap<String, Tensor> values(Map<String, Tensor> known, Set<String> wanted) {
    Map<String, Tensor> values = new LinkedHashMap<>(known);
    Set<String> needed = new LinkedHashSet<>(wanted);
    for (Node node : graph.nodes().reverse()) {
      if (needed.contains(node.name()) && !known.containsKey(node.name())) {
        needed.addAll(node.inputs());
      }
    }
    for (Node node : graph.nodes()) {
      if (needed.contains(node.name()) && !known.containsKey(node.name())) {
        ImmutableList<Tensor> of = values(values, node.inputs());
        Checks.that(!of.isEmpty(), "known", "hold input '" + node.name() + "'", known.keySet());
        values.put(
            node.name(), node.op().accept(new FloatOps(of, node.op().outputShape(shapesOf(of)))));
      }
    }
    values.keySet().retainAll(wanted);
    return ImmutableMap.copyOf(values);
  }

  private static ImmutableList<Shape> shapesOf(ImmutableList<Tensor> tensors) {
    return tensors.stream().map(t -> Shape.ofBatch(t.shape())).collect(toImmutableList());
  }

  private static ImmutableList<Tensor> values(
      Map<String, Tensor> all, ImmutableList<String> names) {
    return names.stream()
        .map(
            name -> {
              Tensor value = all.get(name);
              if (value == null) {
                throw Checks.violated("inputs", "hold '" + name + "'", all.keySet());
              }
              return value;
            })
        .collect(toImmutableList());
  }
}
