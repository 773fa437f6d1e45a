package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class AffineIntegerNetworkTest {
  private static final int NETWORKS = 600;

  private static ActivationFormat affine(int bits, float scale, long zeroPoint, boolean signed) {
    return ActivationFormat.perTensor(new AffineParameters(bits, scale, zeroPoint, signed));
  }

  @Test
  void equalsTheOracleOnRandomNetworks() {
    Set<String> kinds = new HashSet<>();
    for (long seed = 0; seed < NETWORKS; seed++) {
      QuantizedGraph graph = RandomGraphs.affine(seed, 7);
      Tensor input = RandomGraphs.input(graph, 3, seed);
      AffineOracle oracle = new AffineOracle(graph, Map.of("in", input));
      IntegerNetwork network = IntegerNetwork.of(graph);
      for (Map.Entry<String, QuantizedTensor> entry :
          network.layerCodes(Map.of("in", input)).entrySet()) {
        assertArrayEquals(
            oracle.codes(entry.getKey()), entry.getValue().codes(), seed + ": " + entry.getKey());
      }
      String output = graph.graph().outputs().get(0);
      if (graph.carrier(output) != Carrier.SUMS) {
        assertArrayEquals(
            oracle.floats(output).values(), network.output(input).values(), seed + ": output");
      }
      graph.graph().nodes().forEach((Node node) -> kinds.add(node.op().kind()));
    }
    assertEquals(18, kinds.size(), kinds::toString);
  }

  @Test
  void isTheSameOnAnyNumberOfThreads() {
    for (long seed = 0; seed < 20; seed++) {
      QuantizedGraph graph = RandomGraphs.affine(seed, 8);
      Tensor input = RandomGraphs.input(graph, 37, seed);
      IntegerNetwork network = IntegerNetwork.of(graph);
      assertArrayEquals(
          network.withParallelism(1).output(input).values(),
          network.withParallelism(4).output(input).values());
    }
  }

  private static NetworkGraph dense(float[] weight, float[] bias) {
    int outputs = bias.length;
    return NetworkGraph.builder()
        .input("in", weight.length / outputs)
        .add(
            "dense",
            new Dense(
                Tensor.of(weight, outputs, weight.length / outputs), Tensor.of(bias, outputs)),
            "in")
        .output("dense")
        .build();
  }

  private static QuantizedTensor weight(NetworkGraph graph, float... scales) {
    Dense op = (Dense) graph.node("dense").op();
    ImmutableList.Builder<AffineParameters> formats = ImmutableList.builder();
    for (float scale : scales) {
      formats.add(new AffineParameters(8, scale, 0, true));
    }
    return QuantizedTensor.quantize(
        op.weight(), Granularity.perChannel(0), formats.build(), Rounding.HALF_EVEN);
  }

  @Test
  void computesByHand() {
    NetworkGraph graph = dense(new float[] {0.3f, -0.6f, 1.5f, 0.5f}, new float[] {0.12f, -9f});
    Dense op = (Dense) graph.node("dense").op();
    ActivationFormat in = affine(8, 0.1f, 30, false);
    QuantizedWeights weights =
        QuantizedWeights.onProductGrid(op, weight(graph, 0.3f, 0.5f), in, Rounding.HALF_EVEN);
    // 0.12 / 0.03 and -9 / 0.05
    assertEquals(4, weights.bias().get(0));
    assertEquals(-180, weights.bias().get(1));
    assertEquals(0.1f * 0.3f, weights.accumulator().scale(0));
    QuantizedGraph quantized =
        QuantizedGraph.builder(graph)
            .format("in", in)
            .format("dense", affine(8, 0.25f, -100, true))
            .weights("dense", weights)
            .build();
    IntegerNetwork network = IntegerNetwork.of(quantized);
    Tensor input = Tensor.of(new float[] {1.0f, -2.04f, 100f, -100f}, 2, 2);
    // codes 40 and 10, then saturated: 255 and 0; less 30: 10, -20 and 225, -30
    assertArrayEquals(new int[] {40, 10, 255, 0}, network.layerCodes("in", input).codes());
    // 10 + 40 + 4 = 54 steps of 0.03 = 1.62 = 6.48 steps of 0.25: 6;
    // 30 - 20 - 180 = -170 of 0.05 = -8.5 = -34
    // 225 + 60 + 4 = 289 of 0.03 = 8.67 = 34.68: 35; 675 - 30 - 180 = 465 of 0.05 = 23.25 = 93
    assertArrayEquals(new int[] {-94, -128, -65, -7}, network.layerCodes("dense", input).codes());
    assertArrayEquals(new float[] {1.5f, -7f, 8.75f, 23.25f}, network.output(input).values());
    // |w| sums to 3 and 4, codes reach 225 from the zero point: 675 + 4 and 900 + 180
    assertEquals(12, network.accumulatorBits().get("dense"));
  }

  @Test
  void paddingIsTheZeroPoint() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 1, 2, 2)
            .add(
                "conv",
                new Convolution(
                    Tensor.of(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1}, 1, 1, 3, 3),
                    Tensor.of(new float[] {0}, 1),
                    new Extent(1, 1),
                    new Extent(1, 1),
                    Padding.SAME,
                    1),
                "in")
            .output("conv")
            .build();
    ActivationFormat format = affine(8, 0.5f, 77, false);
    Convolution op = (Convolution) graph.node("conv").op();
    QuantizedTensor ones =
        QuantizedTensor.quantize(
            op.weight(),
            Granularity.perTensor(),
            List.of(new AffineParameters(8, 1, 0, true)),
            Rounding.HALF_EVEN);
    QuantizedGraph quantized =
        QuantizedGraph.builder(graph)
            .format("in", format)
            .format("conv", format)
            .weights("conv", QuantizedWeights.onProductGrid(op, ones, format, Rounding.HALF_EVEN))
            .build();
    float[] given = {1, 2, -3, 4.5f};
    float[] output = IntegerNetwork.of(quantized).output(Tensor.of(given, 1, 1, 2, 2)).values();
    assertArrayEquals(new float[] {4.5f, 4.5f, 4.5f, 4.5f}, output);
  }

  @Test
  void additionsThatAreClippedRoundOnce() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("a", 2)
            .input("b", 2)
            .add("sum", new Add(), "a", "b")
            .add("relu", new Activation(ScalarFunction.relu()), "sum")
            .output("relu")
            .build();
    QuantizedGraph quantized =
        QuantizedGraph.builder(graph)
            .format("a", affine(8, 0.3f, 0, true))
            .format("b", affine(8, 0.7f, 10, false))
            .format("relu", affine(8, 0.5f, 3, false))
            .build();
    Tensor a = Tensor.of(new float[] {0.9f, -3}, 1, 2);
    Tensor b = Tensor.of(new float[] {1.4f, 0.7f}, 1, 2);
    QuantizedTensor codes = IntegerNetwork.of(quantized).layerCodes("relu", Map.of("a", a, "b", b));
    // 2.3 is 4.6 steps of 0.5: 5; -2.3 is clipped: the zero point 3 is zero
    assertArrayEquals(new int[] {8, 3}, codes.codes());
  }

  @Test
  void refusesWhatHasNoMeaning() {
    NetworkGraph graph = dense(new float[] {1, 1}, new float[] {0});
    Dense op = (Dense) graph.node("dense").op();
    AffineParameters format = new AffineParameters(8, 0.1f, 3, true);
    ActivationFormat perChannel = ActivationFormat.perChannel(List.of(format, format));
    QuantizedTensor weight = weight(graph, 0.5f);
    assertEquals(
        "input must have one format for the whole value, found " + perChannel,
        assertThrows(
                IllegalArgumentException.class,
                () -> QuantizedWeights.onProductGrid(op, weight, perChannel, Rounding.HALF_EVEN))
            .getMessage());
    QuantizedTensor shifted =
        QuantizedTensor.quantize(
            op.weight(), Granularity.perTensor(), List.of(format), Rounding.HALF_EVEN);
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    QuantizedWeights.onProductGrid(
                        op, shifted, ActivationFormat.perTensor(format), Rounding.HALF_EVEN))
            .getMessage()
            .startsWith("weight must have zero point 0, found AffineParameters"));
    QuantizedGraph.Builder other =
        QuantizedGraph.builder(graph)
            .format("in", ActivationFormat.perTensor(FixedPointFormat.signed(8, 4)))
            .format("dense", ActivationFormat.perTensor(format))
            .weights(
                "dense",
                QuantizedWeights.onProductGrid(
                    op, weight, ActivationFormat.perTensor(format), Rounding.HALF_EVEN));
    String message =
        assertThrows(IllegalArgumentException.class, () -> IntegerNetwork.of(other.build()))
            .getMessage();
    assertTrue(
        message.startsWith("Dense 'dense': products of channel 0 must have the scale"), message);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            IntegerNetwork.of(
                other
                    .format("in", ActivationFormat.perTensor(format))
                    .rounding(Rounding.HALF_UP)
                    .build()));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new QuantizedWeights(
                weight,
                com.google.common.primitives.ImmutableLongArray.of(0, 1),
                new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(3))));
  }
}
