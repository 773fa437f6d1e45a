package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Lists;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.precision.LayerPrecision;

/**
 * Which values of a graph become codes, and of how many bits.
 *
 * <p>What a weighted operation in integers takes must be codes, and so must everything from which
 * that is computed, as far back as integers reach; what is computed from codes alone is codes, too.
 * A sum whose only use is to be clipped gets no codes of its own. A value that nothing in integers
 * uses, such as the logits before a softmax, gets {@code outputBits}; one that only goes through
 * tables gets {@value #TABLE_BITS} bits more than the result.
 */
final class CodePlan {
  private static final int TABLE_BITS = 4;
  private static final int MAX_BITS = 16;

  private final NetworkGraph graph;
  private final Predicate<Node> integerSums;
  private final ToIntFunction<String> layerBits;
  private final int outputBits;
  private final Set<String> coded = new HashSet<>();

  /**
   * What a value's codes are for.
   *
   * @param bits of a code
   * @param outside whether nothing in integers uses them
   */
  record Choice(int bits, boolean outside) {}

  /**
   * Plans a graph.
   *
   * @param integerSums whether a weighted operation has integer weights and may use them
   * @param layerBits the bits of what a layer gives; 32 for float
   */
  CodePlan(
      NetworkGraph graph,
      Predicate<Node> integerSums,
      ToIntFunction<String> layerBits,
      int outputBits) {
    this.graph = graph;
    this.integerSums = integerSums;
    this.layerBits = layerBits;
    this.outputBits = outputBits;
  }

  /** Returns the values that need a format of their own; moved codes have that of their origin. */
  ImmutableMap<String, Choice> choices() {
    Set<String> demanded = demanded();
    for (Node node : graph.nodes()) {
      boolean fromCodes =
          !node.inputs().isEmpty() && node.inputs().stream().allMatch(coded::contains);
      if (demanded.contains(node.name())
          || integerSums(node)
          || (fromCodes && (node.op().keepsCodes() || computesInIntegers(node)))) {
        coded.add(node.name());
      }
    }
    Map<String, Choice> choices = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      boolean moved = node.op().keepsCodes() && coded.contains(node.input());
      if (coded.contains(node.name()) && !moved && !onlyClipped(node)) {
        choices.put(node.name(), choice(node));
      }
    }
    return ImmutableMap.copyOf(choices);
  }

  private Set<String> demanded() {
    Set<String> demanded = new HashSet<>();
    for (Node node : Lists.reverse(graph.nodes())) {
      boolean wanted = demanded.contains(node.name());
      if (integerSums(node) || (wanted && (node.op().keepsCodes() || computesInIntegers(node)))) {
        node.inputs().stream().filter(this::mayBeCoded).forEach(demanded::add);
      }
    }
    return demanded;
  }

  private boolean integerSums(Node node) {
    return node.op() instanceof Weighted && integerSums.test(node) && mayBeCoded(node.input());
  }

  private boolean mayBeCoded(String name) {
    Node node = graph.node(name);
    if (node.op().keepsCodes()) {
      return mayBeCoded(node.input());
    }
    return hasPlace(node) && !isKept(node);
  }

  /**
   * Whether a vertex, or a layer without weights, shall compute in float: between codes it would be
   * computed in integers, so that it gets none, and what takes it computes in float, too.
   */
  private boolean isKept(Node node) {
    return bits(node.layer()) >= LayerPrecision.FLOAT_BITS
        && graph.nodes().stream()
            .filter(own -> own.layer().equals(node.layer()))
            .allMatch(own -> computes(own.op()) || own.op().keepsCodes());
  }

  /** Whether DL4J has the value, so that it can be quantized there, too. */
  private static boolean hasPlace(Node node) {
    String layer = node.layer();
    return node.op() instanceof Input
        || node.name().equals(layer)
        || node.name().equals(layer + "/preactivation")
        || node.name().equals(layer + "/softmax");
  }

  private static boolean computes(Op op) {
    return op instanceof Activation
        || op instanceof Add
        || op instanceof Concat
        || op instanceof AveragePool
        || op instanceof GlobalPool;
  }

  private boolean computesInIntegers(Node node) {
    return computes(node.op())
        && hasPlace(node)
        && bits(node.layer()) < LayerPrecision.FLOAT_BITS
        && !activatesFloatSums(node)
        && knownChannels(node.name())
        && node.inputs().stream().allMatch(this::knownChannels);
  }

  /** Whether an activation belongs to a layer of which the weights are no integers. */
  private boolean activatesFloatSums(Node node) {
    if (!(node.op() instanceof Activation)) {
      return false;
    }
    Node sums = graph.node(node.input());
    return sums.op() instanceof Weighted
        && sums.layer().equals(node.layer())
        && !integerSums.test(sums);
  }

  private boolean knownChannels(String name) {
    return graph.shape(name).channels() != Shape.UNKNOWN;
  }

  private int bits(String layer) {
    return layerBits.applyAsInt(layer);
  }

  private boolean clips(Node node) {
    return node.op() instanceof Activation activation
        && activation.function().clips()
        && coded.contains(node.name());
  }

  private boolean onlyClipped(Node node) {
    boolean sums =
        (integerSums(node) || node.op() instanceof Add)
            && node.inputs().stream().allMatch(coded::contains);
    return sums && graph.soleConsumer(node.name()).filter(this::clips).isPresent();
  }

  private Choice choice(Node node) {
    Set<Node> users = new HashSet<>();
    collectUsers(node, users);
    int own = ownBits(node);
    if (own >= LayerPrecision.FLOAT_BITS) {
      own = users.stream().mapToInt(user -> bits(user.layer())).max().orElse(outputBits);
      own = Math.min(own, MAX_BITS);
    }
    if (users.isEmpty()) {
      return new Choice(Math.max(own, outputBits), true);
    }
    boolean tables =
        users.stream().allMatch(user -> user.op() instanceof Activation && !clips(user));
    return new Choice(tables ? Math.min(MAX_BITS, own + TABLE_BITS) : own, false);
  }

  /** An activation that clips sums counts as part of the layer that makes them. */
  private int ownBits(Node node) {
    boolean fused = clips(node) && onlyClipped(graph.node(node.input()));
    return bits(fused ? graph.node(node.input()).layer() : node.layer());
  }

  private void collectUsers(Node node, Set<Node> users) {
    for (Node consumer : graph.consumers(node.name())) {
      if (consumer.op().keepsCodes()) {
        collectUsers(consumer, users);
      } else if (integerSums(consumer)
          || (computesInIntegers(consumer) && coded.contains(consumer.name()))) {
        users.add(consumer);
      }
    }
  }
}
