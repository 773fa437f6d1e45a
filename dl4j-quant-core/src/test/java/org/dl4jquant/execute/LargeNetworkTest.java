package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Layers so large that they are computed in tiles, in blocks, and on several threads. */
final class LargeNetworkTest {
  private static final Extent ONE = Extent.ONE;

  private final Random random = new Random(5);

  private Tensor random(double scale, int... shape) {
    return RandomGraphs.random(random, scale, shape);
  }

  private Convolution convolution(
      int out, int in, int height, int width, int stride, Padding padding, int groups) {
    return new Convolution(
        random(0.2, out, in / groups, height, width),
        random(0.2, out),
        new Extent(height == 1 ? 1 : stride, stride),
        ONE,
        padding,
        groups);
  }

  private QuantizedGraph single(Weighted op, int... shape) {
    NetworkGraph graph =
        NetworkGraph.builder().input("in", shape).add("w", op, "in").output("w").build();
    return quantized(graph, op);
  }

  private static QuantizedGraph quantized(NetworkGraph graph, Weighted op) {
    ActivationFormat format = ActivationFormat.perTensor(FixedPointFormat.signed(8, 5));
    List<FixedPointFormat> formats = new ArrayList<>();
    for (int i = 0; i < op.outputChannels(); i++) {
      formats.add(FixedPointFormat.signed(8, 7 + i % 2));
    }
    QuantizedTensor weight =
        QuantizedTensor.quantize(
            op.weight(),
            Granularity.perChannel(0),
            ImmutableList.copyOf(formats),
            Rounding.HALF_EVEN);
    return QuantizedGraph.builder(graph)
        .format("in", format)
        .weights("w", QuantizedWeights.onFinestGrid(op, weight, format, Rounding.HALF_EVEN, 32))
        .format("w", ActivationFormat.perTensor(FixedPointFormat.signed(8, 3)))
        .build();
  }

  private void equalsTheOracle(QuantizedGraph graph, int batch) {
    Tensor input = random(1, graph.graph().shape("in").withBatch(batch));
    int[] expected = new Oracle(graph, Map.of("in", input)).codes("w");
    IntegerNetwork network = IntegerNetwork.of(graph);
    assertArrayEquals(expected, network.withParallelism(1).layerCodes("w", input).codes());
    assertArrayEquals(expected, network.withParallelism(3).layerCodes("w", input).codes());
  }

  @Test
  void convolvesAnImageInTilesAndBlocks() {
    equalsTheOracle(single(convolution(7, 5, 3, 3, 1, Padding.SAME, 1), 5, 40, 30), 1);
    equalsTheOracle(single(convolution(8, 6, 5, 3, 2, Padding.SAME, 1), 6, 61, 47), 2);
  }

  @Test
  void convolvesASmallImageWithManyChannelsInBlocks() {
    equalsTheOracle(single(convolution(37, 70, 3, 3, 1, Padding.NONE, 1), 70, 6, 7), 1);
  }

  @Test
  void convolvesALongSequenceInPieces() {
    equalsTheOracle(single(convolution(3, 2, 1, 5, 1, Padding.CAUSAL, 1), 2, 2500), 1);
    equalsTheOracle(single(convolution(3, 2, 1, 5, 3, Padding.SAME, 1), 2, 2500), 3);
  }

  @Test
  void convolvesGroupsInBlocks() {
    equalsTheOracle(single(convolution(36, 18, 3, 3, 1, Padding.SAME, 18), 18, 30, 30), 1);
    equalsTheOracle(single(convolution(12, 8, 3, 3, 2, Padding.SAME, 4), 8, 40, 40), 5);
  }

  @Test
  void scattersInTiles() {
    Deconvolution op =
        new Deconvolution(
            random(0.2, 5, 4, 3, 3), random(0.2, 5), new Extent(2, 2), ONE, Padding.SAME);
    equalsTheOracle(single(op, 4, 25, 21), 2);
  }

  @Test
  void multipliesLargeMatricesInBlocks() {
    equalsTheOracle(single(new Dense(random(0.05, 500, 800), random(0.2, 500)), 800), 1);
    equalsTheOracle(single(new Dense(random(0.05, 33, 801), random(0.2, 33)), 801), 9);
  }

  @Test
  void flattensManyExamplesInOrder() {
    Dense op = new Dense(random(0.1, 3, 60), random(0.1, 3));
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 3, 4, 5)
            .add("flat", new Flatten(), "in")
            .add("w", op, "flat")
            .output("w")
            .build();
    equalsTheOracle(quantized(graph, op), 40);
  }
}
