package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.convert.RandomNetworks;
import org.dl4jquant.convert.RandomSequences;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The graph of a random network computes what DL4J computes. */
final class RandomBridgeTest {
  private static final double TOLERANCE = 1e-5;

  private static INDArray input(InputType type, int batch, long seed) {
    long[] shape = type.getShape(true);
    shape[0] = batch;
    Random random = new Random(seed);
    INDArray input = Nd4j.create(DataType.DOUBLE, shape);
    for (long i = 0; i < input.length(); i++) {
      input.putScalar(i, (float) random.nextGaussian());
    }
    return input;
  }

  /**
   * Allows 1e-5 of the largest output, and where a network magnifies errors of rounding, such as
   * one that divides by tiny variances, twice of what DL4J itself loses by computing in floats.
   */
  private static void check(String what, Model model, INDArray input) {
    Dl4jNetwork network = Dl4jNetwork.of(model);
    Tensor expected = Tensors.of(network.output(input.dup()).get(0));
    Tensor actual = GraphComparison.outputs(GraphReader.read(network).graph(), input).get(0);
    Tensor floats = Tensors.of(inFloats(network).output(input.castTo(DataType.FLOAT)).get(0));
    double allowed =
        Math.max(TOLERANCE * largest(expected.values()), 2 * difference(expected, floats));
    double difference = difference(expected, actual);
    assertTrue(
        difference <= allowed,
        what
            + " "
            + network.layers().stream().map(Dl4jLayer::kind).toList()
            + ": "
            + difference
            + " where "
            + allowed
            + " is allowed");
  }

  private static Dl4jNetwork inFloats(Dl4jNetwork network) {
    return Dl4jNetwork.of(
        network.model() instanceof MultiLayerNetwork layers
            ? layers.convertDataType(DataType.FLOAT)
            : ((ComputationGraph) network.model()).convertDataType(DataType.FLOAT));
  }

  private static double difference(Tensor expected, Tensor actual) {
    assertEquals(expected.length(), actual.length());
    float[] differences = new float[expected.length()];
    for (int i = 0; i < differences.length; i++) {
      differences[i] = expected.values()[i] - actual.values()[i];
    }
    return largest(differences);
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      assertTrue(Float.isFinite(value), "not finite");
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  @Test
  void imagesThroughLayers() {
    for (int seed = 0; seed < 80; seed++) {
      RandomNetworks networks = new RandomNetworks(seed);
      InputType type = networks.input();
      check("seed " + seed, networks.layers(type), input(type, 3, seed));
    }
  }

  @Test
  void imagesThroughGraphs() {
    for (int seed = 0; seed < 50; seed++) {
      RandomNetworks networks = new RandomNetworks(5_000 + seed);
      InputType type = networks.input();
      check("seed " + seed, networks.graph(type), input(type, 2, seed));
    }
  }

  @Test
  void sequencesThroughLayers() {
    for (int seed = 0; seed < 80; seed++) {
      RandomSequences networks = new RandomSequences(seed, seed % 2 == 0);
      InputType type = networks.input();
      check("seed " + seed, networks.layers(type), input(type, 3, seed));
    }
  }

  @Test
  void sequencesThroughGraphs() {
    for (int seed = 0; seed < 30; seed++) {
      RandomSequences networks = new RandomSequences(9_000 + seed, seed % 2 == 0);
      InputType type = networks.input();
      check("seed " + seed, networks.graph(type), input(type, 3, seed));
    }
  }
}
