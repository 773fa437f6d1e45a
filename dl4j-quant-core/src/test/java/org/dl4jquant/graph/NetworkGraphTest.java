package org.dl4jquant.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class NetworkGraphTest {
  private static final Convolution CONV =
      Convolution.of(Tensor.zeros(4, 2, 3, 3), Tensor.zeros(4), Padding.SAME);

  private static void refuses(String message, Executable action) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, action).getMessage());
  }

  private static NetworkGraph dynamic() {
    return NetworkGraph.builder()
        .input("in", 2, -1, -1)
        .add("conv", CONV, "in")
        .add(
            new Node(
                "conv/relu",
                new Activation(ScalarFunction.relu()),
                ImmutableList.of("conv"),
                "conv"))
        .add("pool", new GlobalPool(GlobalPool.Reduction.AVERAGE), "conv/relu")
        .output("pool")
        .build();
  }

  @Test
  void knowsShapesAsFarAsTheyAreDeclared() {
    NetworkGraph graph = dynamic();
    assertEquals(Shape.of(4, -1, -1), graph.shape("conv/relu"));
    assertEquals(Shape.of(4), graph.shape("pool"));
    assertEquals(Shape.of(4, 5, 7), graph.shapes(Map.of("in", Shape.of(2, 5, 7))).get("conv/relu"));
  }

  @Test
  void knowsWhoUsesAValue() {
    NetworkGraph graph = dynamic();
    assertEquals(List.of(graph.node("conv/relu")), graph.consumers("conv"));
    assertEquals(Optional.of(graph.node("pool")), graph.soleConsumer("conv/relu"));
    assertEquals(Optional.empty(), graph.soleConsumer("pool"));
    assertEquals("conv", graph.node("conv/relu").layer());
  }

  @Test
  void namesTheNodeWhoseShapesDoNotFit() {
    refuses(
        "Convolution 'conv': input must have 2 channels, found [3, 8, 8]",
        () ->
            NetworkGraph.builder()
                .input("in", 3, 8, 8)
                .add("conv", CONV, "in")
                .output("conv")
                .build());
    refuses(
        "Add 'sum': inputs must have one shape, found [[2], [3]]",
        () ->
            NetworkGraph.builder()
                .input("a", 2)
                .input("b", 3)
                .add("sum", new Add(), "a", "b")
                .output("sum")
                .build());
    refuses(
        "input 'in' must have shape [2, -1, -1] after the batch, found [3, 4, 4]",
        () -> dynamic().shapes(Map.of("in", Shape.of(3, 4, 4))));
  }

  @Test
  void refusesNamesThatDoNotFit() {
    refuses(
        "inputs of node 'a' must name earlier nodes [in], found 'b'",
        () ->
            NetworkGraph.builder().input("in", 2).add("a", new Flatten(), "b").output("a").build());
    refuses(
        "name must be unique, found 'in' twice",
        () -> NetworkGraph.builder().input("in", 2).input("in", 2).output("in").build());
    refuses(
        "outputs must name nodes [in], found x",
        () -> NetworkGraph.builder().input("in", 2).output("x").build());
    refuses(
        "inputs of Add 'a' must be as many as it takes, found [in]",
        () -> NetworkGraph.builder().add("a", new Add(), "in"));
    refuses(
        "name must be one of [in, conv, conv/relu, pool], found 'x'", () -> dynamic().node("x"));
  }

  @Test
  void paddingFollowsDeeplearning4j() {
    Window same = new Window(Extent.square(3), Extent.square(2), Extent.ONE, Padding.SAME);
    assertEquals(new Padding.Explicit(0, 1, 1, 1), same.pads(4, 5));
    assertEquals(Shape.of(9, 2, 3), same.slideOver(Shape.of(1, 4, 5), 9));
    Window causal = new Window(new Extent(1, 3), Extent.ONE, new Extent(1, 2), Padding.CAUSAL);
    assertEquals(new Padding.Explicit(0, 4, 0, 0), causal.pads(1, 9));
    assertEquals(Shape.of(2, 9), causal.slideOver(Shape.of(1, 9), 2));
    refuses(
        "height must be at least 3 for a window of 3, found 2",
        () ->
            Window.of(Extent.square(3), Extent.ONE, Padding.NONE).slideOver(Shape.of(1, 2, 9), 1));
  }

  @Test
  void formatsFollowTheCodesThatAreMoved() {
    List<FixedPointFormat> two =
        List.of(FixedPointFormat.signed(8, 1), FixedPointFormat.signed(8, 2));
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 2, 1, 3)
            .add("permute", Permute.of(1, 2, 0), "in")
            .add("flat", new Flatten(), "permute")
            .output("flat")
            .build();
    QuantizedGraph quantized =
        QuantizedGraph.builder(graph).format("in", ActivationFormat.perChannel(two)).build();
    assertEquals(
        Optional.of(Granularity.perChannel(3)),
        quantized.format("permute").map(ActivationFormat::granularity));
    assertEquals(
        List.of(two.get(0), two.get(1), two.get(0), two.get(1), two.get(0), two.get(1)),
        quantized.format("flat").orElseThrow().formats());
    assertEquals(QuantizedGraph.Carrier.CODES, quantized.carrier("flat"));
    refuses(
        "Flatten 'flat': format must be that of the input, %s, found %s"
            .formatted(
                quantized.format("flat").orElseThrow(), ActivationFormat.perTensor(two.get(0))),
        () ->
            QuantizedGraph.builder(graph)
                .format("in", ActivationFormat.perChannel(two))
                .format("flat", ActivationFormat.perTensor(two.get(0)))
                .build());
  }
}
