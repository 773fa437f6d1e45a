package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class IntegerNetworkTest {
  private static final int NETWORKS = 600;

  private static void equalsTheOracle(long seed, QuantizedGraph graph, Set<String> kinds) {
    Tensor input = RandomGraphs.input(graph, 3, seed);
    Oracle oracle = new Oracle(graph, Map.of("in", input));
    IntegerNetwork network = IntegerNetwork.of(graph);
    for (Map.Entry<String, QuantizedTensor> entry :
        network.layerCodes(Map.of("in", input)).entrySet()) {
      assertArrayEquals(
          oracle.codes(entry.getKey()), entry.getValue().codes(), seed + ": " + entry.getKey());
    }
    String output = graph.graph().outputs().get(0);
    if (graph.carrier(output) != Carrier.SUMS) {
      assertArrayEquals(oracle.floats(output), network.output(input).values(), seed + ": output");
    }
    graph.graph().nodes().forEach((Node node) -> kinds.add(node.op().kind()));
  }

  @Test
  void equalsTheOracleOnRandomNetworks() {
    Set<String> kinds = new HashSet<>();
    for (long seed = 0; seed < NETWORKS; seed++) {
      equalsTheOracle(seed, RandomGraphs.graph(seed, 7, seed % 2 == 1), kinds);
    }
    assertEquals(18, kinds.size(), kinds::toString);
  }

  @Test
  void equalsTheOracleWhereValuesAreLogarithmic() {
    Set<String> kinds = new HashSet<>();
    for (long seed = 0; seed < NETWORKS / 2; seed++) {
      equalsTheOracle(seed, RandomGraphs.logarithmic(seed, 7), kinds);
    }
    assertEquals(18, kinds.size(), kinds::toString);
  }

  @Test
  void isTheSameOnAnyNumberOfThreadsAndForAnySplitOfTheBatch() {
    for (long seed = 0; seed < 20; seed++) {
      QuantizedGraph graph = RandomGraphs.graph(seed, 8, false);
      Tensor input = RandomGraphs.input(graph, 37, seed);
      IntegerNetwork network = IntegerNetwork.of(graph);
      float[] one = network.withParallelism(1).output(input).values();
      assertArrayEquals(one, network.withParallelism(4).output(input).values());
      int each = input.length() / 37;
      int[] shape = input.shape();
      shape[0] = 1;
      Tensor last = Tensor.of(Arrays.copyOfRange(input.values(), 36 * each, 37 * each), shape);
      float[] alone = network.output(last).values();
      assertArrayEquals(Arrays.copyOfRange(one, one.length - alone.length, one.length), alone);
    }
  }

  @Test
  void namesTheInputThatHoldsNaN() {
    QuantizedGraph graph = RandomGraphs.graph(1, 3, false);
    Tensor input = RandomGraphs.input(graph, 1, 1);
    input.values()[2] = Float.NaN;
    IntegerNetwork network = IntegerNetwork.of(graph);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> network.output(input));
    assertEquals("value of 'in' must be a number, found NaN at index 2", e.getMessage());
  }
}
