package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.execute.InputPatches;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;

/** What the nodes of a float graph give for examples: sums in single precision, and fast. */
final class ExampleValues {
  private ExampleValues() {}

  /** Returns the values of some nodes; others are forgotten after their last use. */
  static ImmutableMap<String, Tensor> of(
      NetworkGraph graph, CalibrationExamples examples, Set<String> wanted) {
    Map<String, Tensor> values = new HashMap<>(examples.inputs());
    Map<String, Integer> uses = new HashMap<>();
    wanted.forEach(name -> uses.merge(name, 1, Integer::sum));
    for (Node node : graph.nodes()) {
      node.inputs().forEach(input -> uses.merge(input, 1, Integer::sum));
    }
    for (Node node : graph.nodes()) {
      if (node.inputs().isEmpty()) {
        continue;
      }
      values.put(node.name(), of(graph, node, values));
      for (String input : node.inputs()) {
        if (uses.merge(input, -1, Integer::sum) == 0) {
          values.remove(input);
        }
      }
    }
    values.keySet().retainAll(wanted);
    return ImmutableMap.copyOf(values);
  }

  /** Returns the value of one node, given those of its inputs. */
  static Tensor of(NetworkGraph graph, Node node, Map<String, Tensor> values) {
    if (node.op() instanceof Weighted op && !(op instanceof ChannelAffine)) {
      Tensor input = Objects.requireNonNull(values.get(node.input()));
      Shape in = Shape.ofBatch(input.shape());
      Shape out = op.outputShape(ImmutableList.of(in));
      return sums(op, InputPatches.of(op, in, out), input, out);
    }
    Map<String, Tensor> picked = new HashMap<>();
    node.inputs().forEach(input -> picked.put(input, Objects.requireNonNull(values.get(input))));
    return Objects.requireNonNull(
        FloatNetwork.of(graph).values(picked, Set.of(node.name())).get(node.name()));
  }

  /** Returns the sums of a weighted operation. */
  static Tensor sums(Weighted op, InputPatches patches, Tensor input, Shape out) {
    int examples = input.size(0);
    float[] sums = new float[Math.multiplyExact(examples, out.elements())];
    IntStream.range(0, examples)
        .parallel()
        .forEach(e -> sums(op, patches, input.values(), e, sums, e * out.elements()));
    return Tensor.of(sums, out.withBatch(examples));
  }

  private static void sums(
      Weighted op, InputPatches patches, float[] input, int example, float[] sums, int first) {
    int positions = patches.positions();
    int length = patches.length();
    int outputs = op.outputChannels() / patches.groups();
    float[] weights = op.weight().values();
    float[] matrix = new float[length * positions];
    for (int g = 0; g < patches.groups(); g++) {
      patches.copy(input, example, g, matrix, positions, 0);
      for (int o = g * outputs; o < (g + 1) * outputs; o++) {
        int from = first + o * positions;
        Arrays.fill(sums, from, from + positions, op.bias().values()[o]);
        for (int i = 0; i < length; i++) {
          float weight = weights[o * length + i];
          for (int p = 0; p < positions; p++) {
            sums[from + p] += weight * matrix[i * positions + p];
          }
        }
      }
    }
  }
}
