package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.EqualizedNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.PowerOfTwoEqualization;
import org.dl4jquant.graph.PowerOfTwoEqualization.Group;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.WeightStrategy;

/** Which powers of two the layers of a network trade, and what the values are like then. */
final class Trades {
  /** The bits that a weight keeps in any case, the sign included. */
  private static final int KEPT_BITS = 3;

  private final NetworkGraph graph;
  private final FormatStrategy strategy;
  private final WeightStrategy weights;
  private final PrecisionPlan plan;
  private final Function<String, Optional<TensorProfile>> profiles;
  private final Map<Group, ImmutableIntArray> exponents = new LinkedHashMap<>();
  private final Map<String, ImmutableIntArray> byValue = new LinkedHashMap<>();

  private Trades(
      NetworkGraph graph,
      Conversion settings,
      PrecisionPlan plan,
      Function<String, Optional<TensorProfile>> profiles) {
    this.graph = graph;
    this.strategy = settings.activations();
    this.weights = settings.weights().strategy();
    this.plan = plan;
    this.profiles = profiles;
  }

  /**
   * Chooses the trades.
   *
   * @param graph of the network
   * @param settings with an alignment that trades
   * @param profiles of the values as they are
   */
  static Trades of(
      Dl4jNetwork network,
      NetworkGraph graph,
      Conversion settings,
      PrecisionPlan plan,
      Function<String, Optional<TensorProfile>> profiles) {
    Trades trades = new Trades(graph, settings, plan, profiles);
    boolean balances = settings.alignment(plan.target().orElseThrow()) == Alignment.BALANCED;
    for (Group group : PowerOfTwoEqualization.groups(graph)) {
      if (group.consumers().stream().allMatch(trades::inIntegers)
          && !(settings.logarithmic().isPresent() && trades.isRectified(group))
          && EqualizedNetwork.canTrade(network, group)) {
        trades.add(group, balances);
      }
    }
    return trades;
  }

  private boolean inIntegers(String node) {
    LayerPrecision precision = plan.of(graph.node(node).layer());
    return !precision.keepsFloatWeights() && !precision.keepsFloatActivations();
  }

  private void add(Group group, boolean balances) {
    ImmutableList.Builder<ImmutableIntArray> values = ImmutableList.builder();
    for (String name : group.values()) {
      if (!graph.node(name).op().keepsCodes()) {
        profiles
            .apply(name)
            .filter(profile -> isKnown(profile, group))
            .ifPresent(profile -> values.add(lengths(name, profile)));
      }
    }
    ImmutableList.Builder<BalancedTrade.Use> uses = ImmutableList.builder();
    int kept = Integer.MAX_VALUE;
    for (String name : group.consumers()) {
      Node consumer = graph.node(name);
      boolean affine = consumer.op() instanceof ChannelAffine;
      int bits = affine ? Conversion.FACTOR_BITS : plan.of(consumer.layer()).weightBits();
      kept = Math.min(kept, Math.max(0, bits - KEPT_BITS));
      seen(consumer.input())
          .filter(profile -> profile.channels().size() == group.channels())
          .ifPresent(
              profile ->
                  uses.add(BalancedTrade.Use.of(profile, (Weighted) consumer.op(), weights, bits)));
    }
    ImmutableList<ImmutableIntArray> lengths = values.build();
    if (lengths.isEmpty() || uses.build().size() < group.consumers().size()) {
      return;
    }
    int most = kept;
    ImmutableIntArray finer = finer(lengths, group.channels());
    ImmutableIntArray chosen =
        balances
            ? new BalancedTrade(lengths, finer, uses.build()).best()
            : ImmutableIntArray.copyOf(finer.stream().map(power -> Math.min(most, power)));
    if (chosen.stream().anyMatch(power -> power != 0)) {
      exponents.put(group, chosen);
      group.values().forEach(value -> byValue.put(value, chosen));
    }
  }

  private boolean isRectified(Group group) {
    return group.values().stream().anyMatch(name -> LogarithmicFormats.takes(graph.node(name)));
  }

  private static boolean isKnown(TensorProfile profile, Group group) {
    return profile.channels().size() == group.channels()
        && profile.whole().count() / group.channels() >= FormatStrategy.MIN_CHANNEL_COUNT;
  }

  /** Returns the profile of a value, or of what it was moved from. */
  private Optional<TensorProfile> seen(String name) {
    Node node = graph.node(name);
    Optional<TensorProfile> own = profiles.apply(name);
    return own.isPresent() || !node.op().keepsCodes() ? own : seen(node.input());
  }

  /** Returns the fractional lengths of formats per channel. */
  private ImmutableIntArray lengths(String name, TensorProfile profile) {
    int bits =
        Math.min(
            ActivationFormat.MAX_BIT_WIDTH, plan.of(graph.node(name).layer()).activationBits());
    boolean signed = profile.whole().moments().min() < 0;
    return ImmutableIntArray.copyOf(
        strategy.chooseEach(profile, bits, signed).stream()
            .mapToInt(FixedPointFormat::fractionalLength));
  }

  /** Returns by how much each channel can grow before any value needs a coarser format. */
  private static ImmutableIntArray finer(ImmutableList<ImmutableIntArray> values, int channels) {
    int[] finer = new int[channels];
    Arrays.fill(finer, Integer.MAX_VALUE);
    for (ImmutableIntArray lengths : values) {
      int coarsest = lengths.stream().min().orElseThrow();
      IntStream.range(0, channels)
          .forEach(c -> finer[c] = Math.min(finer[c], lengths.get(c) - coarsest));
    }
    return ImmutableIntArray.copyOf(finer);
  }

  /** Returns the powers of each group that trades. */
  ImmutableMap<Group, ImmutableIntArray> exponents() {
    return ImmutableMap.copyOf(exponents);
  }

  /** Returns the profile of a value after the trades. */
  Optional<TensorProfile> after(String name) {
    ImmutableIntArray powers = byValue.get(name);
    Optional<TensorProfile> seen = profiles.apply(name);
    return powers == null
        ? seen
        : seen.map(
            profile ->
                profile.channels().size() == powers.length() ? profile.scaled(powers) : profile);
  }
}
