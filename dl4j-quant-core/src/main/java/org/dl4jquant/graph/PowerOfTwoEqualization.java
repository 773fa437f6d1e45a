package org.dl4jquant.graph;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Iterables;
import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * Trades powers of two between the output channels of operations and the input channels of those
 * that take them: what lies between gets other ranges, and the network computes the same, exactly.
 *
 * <p>A trade is possible where all that lies between passes only homogeneous operations and
 * additions, comes from weighted operations alone, goes to weighted operations alone, and is no
 * output of the network. Whatever an addition joins trades together. Concatenations end the way.
 */
public final class PowerOfTwoEqualization {
  private PowerOfTwoEqualization() {}

  /**
   * Operations that can trade.
   *
   * @param producers at least one, in topological order
   * @param consumers at least one, in topological order
   * @param values all that lies between, the producers' values included, in topological order
   * @param channels the output channels of each producer; a consumer has as many input channels, or
   *     a multiple if the way flattens channels into features
   */
  public record Group(
      ImmutableList<String> producers,
      ImmutableList<String> consumers,
      ImmutableList<String> values,
      int channels) {}

  /** Returns all groups that can trade, in topological order of their first producers. */
  public static ImmutableList<Group> groups(NetworkGraph graph) {
    Map<String, Set<String>> joined = joined(graph);
    ImmutableList.Builder<Group> groups = ImmutableList.builder();
    for (Set<String> values : new LinkedHashSet<>(joined.values())) {
      group(graph, values).ifPresent(groups::add);
    }
    return groups.build();
  }

  /** Returns for each value those that must have the same powers, itself included. */
  private static Map<String, Set<String>> joined(NetworkGraph graph) {
    Map<String, Set<String>> joined = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      Set<String> own = new LinkedHashSet<>();
      if (passes(node)) {
        node.inputs().forEach(input -> own.addAll(joined.getOrDefault(input, Set.of())));
      }
      own.add(node.name());
      own.forEach(value -> joined.put(value, own));
    }
    return joined;
  }

  private static boolean passes(Node node) {
    return node.op() instanceof Add || node.op().homogeneous();
  }

  private static Optional<Group> group(NetworkGraph graph, Set<String> values) {
    ImmutableList.Builder<String> inOrder = ImmutableList.builder();
    ImmutableList.Builder<String> producers = ImmutableList.builder();
    Set<String> consumers = new LinkedHashSet<>();
    Set<Integer> channels = new LinkedHashSet<>();
    for (Node node : graph.nodes()) {
      if (!values.contains(node.name())) {
        continue;
      }
      inOrder.add(node.name());
      if (node.op() instanceof Weighted op) {
        producers.add(node.name());
        channels.add(op.outputChannels());
      } else if (!passes(node)) {
        return Optional.empty();
      }
      for (Node next : graph.consumers(node.name())) {
        if (next.op() instanceof Weighted) {
          consumers.add(next.name());
        } else if (!passes(next)) {
          return Optional.empty();
        }
      }
    }
    boolean closed = values.stream().noneMatch(graph.outputs()::contains);
    if (!closed || channels.size() != 1 || consumers.isEmpty()) {
      return Optional.empty();
    }
    ImmutableList<String> takers =
        graph.nodes().stream()
            .map(Node::name)
            .filter(consumers::contains)
            .collect(toImmutableList());
    return Optional.of(
        new Group(producers.build(), takers, inOrder.build(), Iterables.getOnlyElement(channels)));
  }

  /**
   * Returns a graph in which the values of each group are multiplied, channel by channel, by two to
   * the power of the exponents.
   *
   * @param exponents for each group one exponent per output channel of the producers, -64 to 64
   * @throws IllegalArgumentException if a group cannot trade, or if a parameter would leave the
   *     range in which floats are exact, with the node's name
   */
  public static NetworkGraph apply(NetworkGraph graph, Map<Group, ImmutableIntArray> exponents) {
    ImmutableList<Group> possible = groups(graph);
    Map<String, Node> changed = new LinkedHashMap<>();
    exponents.forEach(
        (group, powers) -> {
          Checks.that(possible.contains(group), "group", "be one of " + possible, group);
          Checks.that(
              powers.length() == group.channels(),
              "exponents of " + group.producers(),
              "number " + group.channels(),
              powers.length());
          powers.forEach(power -> Checks.inRange("exponent", power, -64, 64));
          for (String name : group.producers()) {
            Node producer = latest(graph, changed, name);
            Weighted output = (Weighted) producer.op();
            changed.put(name, exact(producer, output.scaledOutputs(factors(powers, 1, 1))));
          }
          for (String name : group.consumers()) {
            Node consumer = latest(graph, changed, name);
            Weighted input = (Weighted) consumer.op();
            int repeats = input.inputChannels() / group.channels();
            changed.put(name, exact(consumer, input.scaledInputs(factors(powers, -1, repeats))));
          }
        });
    return graph.replacing(changed);
  }

  private static Node latest(NetworkGraph graph, Map<String, Node> changed, String name) {
    Node node = changed.get(name);
    return node == null ? graph.node(name) : node;
  }

  private static ImmutableDoubleArray factors(ImmutableIntArray powers, int sign, int repeats) {
    ImmutableDoubleArray.Builder factors = ImmutableDoubleArray.builder();
    for (int c = 0; c < powers.length() * repeats; c++) {
      factors.add(Math.scalb(1.0, sign * powers.get(c / repeats)));
    }
    return factors.build();
  }

  private static Node exact(Node node, Weighted scaled) {
    Weighted before = (Weighted) node.op();
    requireSameDigits(node.name(), before.weight(), scaled.weight());
    requireSameDigits(node.name(), before.bias(), scaled.bias());
    return node.withOp(scaled);
  }

  /** A product with a power of two keeps the fraction's bits unless it leaves the normal range. */
  private static void requireSameDigits(String name, Tensor before, Tensor after) {
    for (int i = 0; i < before.length(); i++) {
      float old = before.values()[i];
      float now = after.values()[i];
      boolean same =
          old == 0
              || (Float.isFinite(now)
                  && now != 0
                  && (double) now / old == Math.scalb(1.0, Math.getExponent((double) now / old)));
      Checks.that(same, "parameters of '" + name + "'", "stay exact when scaled", now);
    }
  }
}
