package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Iterables;
import com.google.common.primitives.ImmutableIntArray;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.BatchNormFolding;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.PowerOfTwoEqualization;
import org.dl4jquant.graph.PowerOfTwoEqualization.Group;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Window;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The float network, and the transforms that must not change what it computes. */
final class FloatNetworkTest {
  private static final Random RANDOM = new Random(7);

  private static Tensor random(int... shape) {
    return RandomGraphs.random(RANDOM, 0.5, shape);
  }

  private static Convolution convolution(int out, int in, int kernel) {
    return Convolution.of(random(out, in, kernel, kernel), random(out), Padding.SAME);
  }

  private static NetworkGraph residual() {
    Convolution depthwise =
        new Convolution(random(4, 1, 3, 3), random(4), Extent.ONE, Extent.ONE, Padding.SAME, 4);
    return NetworkGraph.builder()
        .input("in", 3, 8, 8)
        .add("conv", convolution(4, 3, 3), "in")
        .add("bn", new ChannelAffine(random(4), random(4)), "conv")
        .add("bn2", new ChannelAffine(random(4), random(4)), "bn")
        .add("relu", new Activation(ScalarFunction.relu()), "bn2")
        .add(
            "pool",
            new MaxPool(Window.of(Extent.square(2), Extent.square(2), Padding.NONE)),
            "relu")
        .add("depthwise", depthwise, "pool")
        .add("bn3", new ChannelAffine(random(4), random(4)), "depthwise")
        .add("add", new Add(), "bn3", "pool")
        .add("bn4", new ChannelAffine(random(4), random(4)), "add")
        .add(
            "up",
            new Deconvolution(
                random(2, 4, 2, 2), random(2), Extent.square(2), Extent.ONE, Padding.NONE),
            "bn4")
        .add("leaky", new Activation(new ScalarFunction.LeakyRelu(0.1)), "up")
        .add(
            "average",
            new AveragePool(Window.of(Extent.square(2), Extent.square(2), Padding.NONE), true),
            "leaky")
        .add("flat", new Flatten(), "average")
        .add("dense", new Dense(random(5, 32), random(5)), "flat")
        .add("softmax", new Softmax(), "dense")
        .output("softmax")
        .build();
  }

  private static void computeTheSame(NetworkGraph a, NetworkGraph b, float tolerance) {
    Tensor input = random(2, 3, 8, 8);
    assertArrayEquals(
        FloatNetwork.of(a).output(input).values(),
        FloatNetwork.of(b).output(input).values(),
        tolerance);
  }

  @Test
  void foldingBatchNormChangesNothingButRounding() {
    NetworkGraph graph = residual();
    BatchNormFolding folding = BatchNormFolding.fold(graph);
    assertEquals(Map.of("bn", "conv", "bn2", "conv", "bn3", "depthwise"), folding.folded());
    assertEquals(graph.nodes().size() - 3, folding.graph().nodes().size());
    computeTheSame(graph, folding.graph(), 1e-6f);
  }

  @Test
  void anOutputOrASharedValueIsNotFoldedAway() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 3, 4, 4)
            .add("conv", convolution(2, 3, 1), "in")
            .add("bn", new ChannelAffine(random(2), random(2)), "conv")
            .output("conv", "bn")
            .build();
    assertEquals(Map.of(), BatchNormFolding.fold(graph).folded());
  }

  @Test
  void tradingPowersOfTwoIsExact() {
    NetworkGraph graph = BatchNormFolding.fold(residual()).graph();
    Map<Group, ImmutableIntArray> exponents = new LinkedHashMap<>();
    for (Group group : PowerOfTwoEqualization.groups(graph)) {
      exponents.put(
          group, ImmutableIntArray.copyOf(RANDOM.ints(group.channels(), -6, 7).toArray()));
    }
    assertEquals(
        List.of(List.of("conv", "depthwise"), List.of("bn4"), List.of("up")),
        exponents.keySet().stream().map(Group::producers).toList());
    computeTheSame(graph, PowerOfTwoEqualization.apply(graph, exponents), 0);
  }

  @Test
  void tradesOnlyWhereItIsExact() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 1)
            .add("a", new Dense(Tensor.of(new float[] {1e-38f}, 1, 1), random(1)), "in")
            .add("b", new Dense(random(1, 1), random(1)), "a")
            .output("b")
            .build();
    Group pair = Iterables.getOnlyElement(PowerOfTwoEqualization.groups(graph));
    assertEquals(
        new Group(ImmutableList.of("a"), ImmutableList.of("b"), ImmutableList.of("a"), 1), pair);
    Group wrong = new Group(ImmutableList.of("b"), ImmutableList.of("a"), ImmutableList.of("b"), 1);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> PowerOfTwoEqualization.apply(graph, Map.of(pair, ImmutableIntArray.of(-40))));
    assertEquals("parameters of 'a' must stay exact when scaled, found 0.0", e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> PowerOfTwoEqualization.apply(graph, Map.of(wrong, ImmutableIntArray.of(1))));
    assertEquals("group must be one of [%s], found %s".formatted(pair, wrong), e.getMessage());
  }

  @Test
  void softmaxRunsOverTheChannelsOfEachPosition() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 2, -1)
            .add("softmax", new Softmax(), "in")
            .output("softmax")
            .build();
    float[] y =
        FloatNetwork.of(graph)
            .output(Tensor.of(new float[] {0, 1000, (float) Math.log(3), 1000}, 1, 2, 2))
            .values();
    assertArrayEquals(new float[] {0.25f, 0.5f, 0.75f, 0.5f}, y, 1e-7f);
  }

  @Test
  void transposedConvolutionScattersEachInput() {
    Deconvolution op =
        new Deconvolution(
            Tensor.of(new float[] {1, 10, 100}, 1, 1, 1, 3),
            Tensor.zeros(1),
            new Extent(1, 2),
            Extent.ONE,
            Padding.SAME);
    NetworkGraph graph =
        NetworkGraph.builder().input("in", 1, 2).add("up", op, "in").output("up").build();
    float[] y = FloatNetwork.of(graph).output(Tensor.of(new float[] {1, 2}, 1, 1, 2)).values();
    assertArrayEquals(new float[] {1, 10, 102, 20}, y);
  }
}
