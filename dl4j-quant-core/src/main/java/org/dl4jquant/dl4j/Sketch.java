package org.dl4jquant.dl4j;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.buffer.DataType;

/** A graph under construction. Not thread-safe. */
final class Sketch {
  private final DataType type;
  private final Map<String, Node> nodes = new LinkedHashMap<>();
  private final Map<String, Shape> shapes = new HashMap<>();
  private final Map<String, String> floatReasons = new LinkedHashMap<>();
  private final Map<String, WeightSource> weights = new LinkedHashMap<>();
  private final Map<String, Layout> layouts = new LinkedHashMap<>();

  /**
   * An empty graph.
   *
   * @param type of the network's arrays
   */
  Sketch(DataType type) {
    this.type = type;
  }

  /** Returns the value under the name of a layer that added no node of its own. */
  Value named(String layer, Value value) {
    return nodes.containsKey(layer)
        ? value
        : add(
            layer,
            new Activation(ScalarFunction.identity()),
            layer,
            value.layout(),
            List.of(value.node()));
  }

  DataType type() {
    return type;
  }

  /** Returns a kernel that runs DL4J on inputs of this layout; the first stands for all. */
  FloatFunction.Kernel kernel(ArrayFunction function, Value input) {
    return new ArrayKernel(function, type, input.has(Layout.FOLDED));
  }

  /** Returns a kernel of which is known what shape it makes of its only input. */
  FloatFunction.Kernel kernel(ArrayFunction function, UnaryOperator<Shape> shape) {
    return new ArrayKernel(function, type, shape);
  }

  Value input(String name, Shape shape) {
    return add(name, new Input(shape), name, Layout.AS_IN_DL4J, ImmutableList.of());
  }

  /** Adds a node and returns its value. */
  Value add(String name, Op op, String layer, Layout layout, List<String> inputs) {
    Node node = new Node(name, op, ImmutableList.copyOf(inputs), layer);
    Checks.that(!nodes.containsKey(name), "name of a node", "be unique", "'" + name + "' twice");
    try {
      shapes.put(name, op.outputShape(inputs.stream().map(this::shape).collect(toImmutableList())));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("layer '" + layer + "': " + e.getMessage(), e);
    }
    nodes.put(name, node);
    layouts.put(name, layout);
    return new Value(name, layout);
  }

  private Shape shape(String node) {
    return Objects.requireNonNull(shapes.get(node));
  }

  /** Returns the shape of the graph's value, batch excluded. */
  Shape shape(Value value) {
    return shape(value.node());
  }

  /** Returns the value in which DL4J's last axis, the channels, comes first. */
  Value channelsFirst(Value value) {
    if (!value.has(Layout.AS_IN_DL4J) || shape(value).rank() == 1) {
      return value;
    }
    return moved(value, "channelsFirst", Layout.CHANNELS_LAST, axes(shape(value).rank(), -1));
  }

  /** Returns the value with the axes as DL4J has them; values per step stay as they are. */
  Value asInDl4j(Value value) {
    return value.has(Layout.CHANNELS_LAST)
        ? moved(value, "channelsLast", Layout.AS_IN_DL4J, axes(shape(value).rank(), 1))
        : value;
  }

  /** Returns a value per step with the time on the first axis. */
  Value folded(Value value) {
    return value.has(Layout.STEPS)
        ? moved(value, "folded", Layout.FOLDED, Permute.of(1, 0))
        : value;
  }

  /** Returns rows of features, one per step, with the features on the first axis. */
  Value steps(Value value) {
    boolean rows = value.has(Layout.FOLDED) && shape(value).rank() == 2;
    return rows ? moved(value, "steps", Layout.STEPS, Permute.of(1, 0)) : value;
  }

  /** Returns the values in one layout, which is theirs if they agree. */
  ImmutableList<Value> alike(ImmutableList<Value> values) {
    boolean agree = values.stream().map(Value::layout).distinct().count() == 1;
    if (agree) {
      return values;
    }
    int rank = shape(values.get(0)).rank();
    boolean turnable =
        rank > 1
            && values.stream()
                .allMatch(
                    value ->
                        (value.has(Layout.AS_IN_DL4J) || value.has(Layout.CHANNELS_LAST))
                            && shape(value).rank() == rank);
    return turnable // so that channels stay channels
        ? values.stream().map(this::channelsFirst).collect(toImmutableList())
        : foldedAlike(values);
  }

  /** Returns the values as DL4J has them, those per step folded. */
  ImmutableList<Value> foldedAlike(ImmutableList<Value> values) {
    return values.stream().map(this::asInDl4j).map(this::folded).collect(toImmutableList());
  }

  private Value moved(Value value, String word, Layout layout, Permute permute) {
    String name = value.node() + "/" + word;
    if (nodes.containsKey(name)) {
      return new Value(name, layout);
    }
    String layer = Objects.requireNonNull(nodes.get(value.node())).layer();
    return add(name, permute, layer, layout, List.of(value.node()));
  }

  /** Returns the rotation of the axes by {@code shift}. */
  private static Permute axes(int rank, int shift) {
    int[] axes = new int[rank];
    for (int i = 0; i < rank; i++) {
      axes[i] = Math.floorMod(i + shift, rank);
    }
    return Permute.of(axes);
  }

  void weights(Value value, WeightSource source) {
    weights.put(value.node(), source);
  }

  void floatReason(String layer, String reason) {
    floatReasons.merge(layer, reason, (one, other) -> one + "; " + other);
  }

  /** Returns everything drawn so far. */
  NetworkImage image(List<Value> outputs) {
    List<String> names =
        outputs.stream().map(this::asInDl4j).map(this::steps).map(Value::node).toList();
    return new NetworkImage(
        NetworkGraph.of(List.copyOf(nodes.values()), names),
        ImmutableMap.copyOf(floatReasons),
        ImmutableMap.copyOf(weights),
        ImmutableMap.copyOf(layouts));
  }
}
