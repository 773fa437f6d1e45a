package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * Trades powers of two between an operation's output channels and the next one's input channels:
 * what lies between gets other ranges, and the network computes the same, exactly.
 *
 * <p>A trade is possible where every value on the way has one consumer, is no output of the network
 * and passes only homogeneous operations. Sums and concatenations end the way.
 */
public final class PowerOfTwoEqualization {
  private PowerOfTwoEqualization() {}

  /**
   * Two operations that can trade.
   *
   * @param channels the output channels of the producer; the consumer has as many input channels,
   *     or a multiple if the way flattens channels into features
   */
  public record Pair(String producer, String consumer, int channels) {}

  /** Returns all pairs that can trade, in topological order of the producers. */
  public static ImmutableList<Pair> pairs(NetworkGraph graph) {
    ImmutableList.Builder<Pair> pairs = ImmutableList.builder();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Weighted producer) {
        consumer(graph, node)
            .map(next -> new Pair(node.name(), next, producer.outputChannels()))
            .ifPresent(pairs::add);
      }
    }
    return pairs.build();
  }

  private static Optional<String> consumer(NetworkGraph graph, Node producer) {
    Optional<Node> next = graph.soleConsumer(producer.name());
    while (next.isPresent() && !(next.get().op() instanceof Weighted)) {
      next = next.filter(n -> n.op().homogeneous()).flatMap(n -> graph.soleConsumer(n.name()));
    }
    return next.map(Node::name);
  }

  /**
   * Returns a graph in which the values between each pair are multiplied, channel by channel, by
   * two to the power of the exponents.
   *
   * @param exponents for each pair one exponent per output channel of the producer, -64 to 64
   * @throws IllegalArgumentException if a pair cannot trade, or if a parameter would leave the
   *     range in which floats are exact, with the node's name
   */
  public static NetworkGraph apply(NetworkGraph graph, Map<Pair, ImmutableIntArray> exponents) {
    ImmutableList<Pair> possible = pairs(graph);
    Map<String, Node> changed = new LinkedHashMap<>();
    exponents.forEach(
        (pair, powers) -> {
          Checks.that(possible.contains(pair), "pair", "be one of " + possible, pair);
          Checks.that(
              powers.length() == pair.channels(),
              "exponents of '" + pair.producer() + "'",
              "number " + pair.channels(),
              powers.length());
          powers.forEach(power -> Checks.inRange("exponent", power, -64, 64));
          Node producer = latest(graph, changed, pair.producer());
          Weighted output = (Weighted) producer.op();
          changed.put(
              pair.producer(), exact(producer, output.scaledOutputs(factors(powers, 1, 1))));
          Node consumer = latest(graph, changed, pair.consumer());
          Weighted input = (Weighted) consumer.op();
          int repeats = input.inputChannels() / pair.channels();
          changed.put(
              pair.consumer(), exact(consumer, input.scaledInputs(factors(powers, -1, repeats))));
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
