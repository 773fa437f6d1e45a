package org.dl4jquant.graph;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableListMultimap;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Lists;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.internal.Checks;

/**
 * A network as a graph of operations in topological order: an input stands before all that use it.
 *
 * <p>Values are channels-first with the batch in front; shapes here exclude the batch. Immutable
 * and thread-safe as long as nobody writes to the tensors that were given to it.
 */
public final class NetworkGraph {
  private final ImmutableMap<String, Node> nodes;
  private final ImmutableList<String> outputs;
  private final ImmutableMap<String, Shape> shapes;
  private final ImmutableListMultimap<String, Node> consumers;

  private NetworkGraph(ImmutableMap<String, Node> nodes, ImmutableList<String> outputs) {
    this.nodes = nodes;
    this.outputs = outputs;
    this.shapes = inferShapes(Map.of());
    this.consumers = consumers(nodes);
  }

  /** Returns a builder; nodes are added in topological order. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns a graph of these nodes.
   *
   * @throws IllegalArgumentException if a name appears twice, if an input or output does not exist
   *     or comes later, or if shapes do not fit
   */
  public static NetworkGraph of(List<Node> nodes, List<String> outputs) {
    Map<String, Node> byName = new LinkedHashMap<>();
    for (Node node : nodes) {
      for (String input : node.inputs()) {
        Checks.that(
            byName.containsKey(input),
            "inputs of node '" + node.name() + "'",
            "name earlier nodes " + byName.keySet(),
            "'" + input + "'");
      }
      Checks.that(
          byName.put(node.name(), node) == null,
          "name",
          "be unique",
          "'" + node.name() + "' twice");
    }
    Checks.that(
        nodes.stream().anyMatch(node -> node.op() instanceof Input),
        "nodes",
        "hold an input",
        nodes.size());
    Checks.that(!outputs.isEmpty(), "outputs", "not be empty", outputs);
    Checks.that(
        ImmutableSet.copyOf(outputs).size() == outputs.size(), "outputs", "be distinct", outputs);
    for (String output : outputs) {
      Checks.that(byName.containsKey(output), "outputs", "name nodes " + byName.keySet(), output);
    }
    return new NetworkGraph(ImmutableMap.copyOf(byName), ImmutableList.copyOf(outputs));
  }

  private static ImmutableListMultimap<String, Node> consumers(Map<String, Node> nodes) {
    ImmutableListMultimap.Builder<String, Node> consumers = ImmutableListMultimap.builder();
    nodes.values().forEach(node -> node.inputs().forEach(input -> consumers.put(input, node)));
    return consumers.build();
  }

  private ImmutableMap<String, Shape> inferShapes(Map<String, Shape> actual) {
    Map<String, Shape> inferred = new LinkedHashMap<>();
    for (Node node : nodes.values()) {
      ImmutableList<Shape> inputs =
          node.inputs().stream().map(name -> named(inferred, name)).collect(toImmutableList());
      try {
        Shape shape = node.op().outputShape(inputs);
        inferred.put(node.name(), actual.getOrDefault(node.name(), shape));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "%s '%s': %s".formatted(node.op().kind(), node.name(), e.getMessage()), e);
      }
    }
    return ImmutableMap.copyOf(inferred);
  }

  private static <V> V named(Map<String, V> values, String name) {
    V value = values.get(name);
    if (value == null) {
      throw Checks.violated("name", "be one of " + values.keySet(), "'" + name + "'");
    }
    return value;
  }

  /** Returns all nodes in topological order, inputs included. */
  public ImmutableList<Node> nodes() {
    return nodes.values().asList();
  }

  /**
   * Returns the node of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Node node(String name) {
    return named(nodes, name);
  }

  /** Returns the names of the input nodes, in the order in which the network takes them. */
  public ImmutableList<String> inputs() {
    return nodes().stream()
        .filter(node -> node.op() instanceof Input)
        .map(Node::name)
        .collect(toImmutableList());
  }

  /** Returns the names of the nodes whose values the network gives. */
  public ImmutableList<String> outputs() {
    return outputs;
  }

  /**
   * Returns the nodes that take the value of {@code name}; one that takes it twice is there twice.
   */
  public ImmutableList<Node> consumers(String name) {
    return consumers.get(node(name).name());
  }

  /** Returns the only consumer of a value, unless there are others or it is also an output. */
  public Optional<Node> soleConsumer(String name) {
    ImmutableList<Node> all = consumers(name);
    return all.size() == 1 && !outputs.contains(name) ? Optional.of(all.get(0)) : Optional.empty();
  }

  /** Returns the shape of a value, batch excluded, with what is known without data. */
  public Shape shape(String name) {
    return named(shapes, name);
  }

  /**
   * Returns the number of channels of a value: that of its shape, or if only data tells that, the
   * number that whatever takes the value asks for; {@link Shape#UNKNOWN} if nothing does.
   */
  public int channels(String name) {
    int own = shape(name).channels();
    if (own != Shape.UNKNOWN) {
      return own;
    }
    for (Node consumer : consumers(name)) {
      if (consumer.op() instanceof Weighted weighted) {
        return weighted.inputChannels();
      }
    }
    return Shape.UNKNOWN;
  }

  /**
   * Returns the shapes of all values for inputs of these shapes (batch excluded).
   *
   * @throws IllegalArgumentException if an input is missing or does not have the declared shape
   */
  public ImmutableMap<String, Shape> shapes(Map<String, Shape> inputShapes) {
    Checks.that(
        inputShapes.keySet().equals(ImmutableSet.copyOf(inputs())),
        "inputs",
        "be " + inputs(),
        inputShapes.keySet());
    inputShapes.forEach(
        (name, actual) ->
            Checks.that(
                actual.known() && shape(name).accepts(actual),
                "input '" + name + "'",
                "have shape " + shape(name) + " after the batch",
                actual));
    return inferShapes(inputShapes);
  }

  /** Returns a graph in which every node is what {@code change} makes of it, names unchanged. */
  NetworkGraph replacing(Map<String, Node> replacements) {
    return of(
        Lists.transform(nodes(), node -> replacements.getOrDefault(node.name(), node)), outputs);
  }

  /** Adds nodes one by one. Not thread-safe. */
  public static final class Builder {
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> outputs = new ArrayList<>();

    private Builder() {}

    /** Adds an input; {@code sizes} exclude the batch, -1 stands for a size that data tells. */
    @CanIgnoreReturnValue
    public Builder input(String name, int... sizes) {
      nodes.add(new Node(name, new Input(Shape.of(sizes)), ImmutableList.of(), name));
      return this;
    }

    /** Adds a node that stands for the layer of the same name. */
    @CanIgnoreReturnValue
    public Builder add(String name, Op op, String... inputs) {
      return add(new Node(name, op, ImmutableList.copyOf(inputs), name));
    }

    /** Adds a node. */
    @CanIgnoreReturnValue
    public Builder add(Node node) {
      nodes.add(node);
      return this;
    }

    /** Adds outputs. */
    @CanIgnoreReturnValue
    public Builder output(String... names) {
      outputs.addAll(List.of(names));
      return this;
    }

    /**
     * Returns the graph.
     *
     * @throws IllegalArgumentException as {@link NetworkGraph#of}
     */
    public NetworkGraph build() {
      return of(nodes, outputs);
    }
  }
}
