package org.dl4jquant.onnxruntime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.execute.RandomGraphs;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnx.ReducedRange;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OnnxVerifierTest {
  @TempDir Path folder;

  private static NetworkGraph network() {
    Random random = new Random(11);
    return NetworkGraph.builder()
        .input("in", 2, 6, 6)
        .add(
            "conv/preactivation",
            Convolution.of(
                RandomGraphs.random(random, 0.4, 4, 2, 3, 3),
                RandomGraphs.random(random, 0.4, 4),
                Padding.SAME),
            "in")
        .add("conv", new Activation(ScalarFunction.relu()), "conv/preactivation")
        .add("squashed", new Activation(ScalarFunction.Smooth.TANH), "conv")
        .add("flat", new Flatten(), "squashed")
        .add(
            "logits",
            new Dense(
                RandomGraphs.random(random, 0.3, 5, 144), RandomGraphs.random(random, 0.3, 5)),
            "flat")
        .add("out", new Softmax(), "logits")
        .output("out")
        .build();
  }

  private static QuantizedGraph quantized(int tanhLength) {
    NetworkGraph graph = network();
    ActivationFormat in = ActivationFormat.perTensor(FixedPointFormat.signed(8, 5));
    ActivationFormat conv = ActivationFormat.perTensor(FixedPointFormat.unsigned(8, 6));
    ActivationFormat tanh = ActivationFormat.perTensor(FixedPointFormat.signed(8, tanhLength));
    return QuantizedGraph.builder(graph)
        .format("in", in)
        .format("conv", conv)
        .format("squashed", tanh)
        .format("logits", ActivationFormat.perTensor(FixedPointFormat.signed(8, 4)))
        .weights("conv/preactivation", weights(graph, "conv/preactivation", in))
        .weights("logits", weights(graph, "logits", tanh))
        .build();
  }

  private static QuantizedWeights weights(NetworkGraph graph, String node, ActivationFormat input) {
    Weighted op = (Weighted) graph.node(node).op();
    QuantizedTensor weight =
        QuantizedTensor.quantize(
            op.weight(),
            Granularity.perTensor(),
            List.of(FixedPointFormat.signed(8, 6)),
            Rounding.HALF_EVEN);
    return QuantizedWeights.onFinestGrid(op, weight, input, Rounding.HALF_EVEN, 32);
  }

  private Path file(QuantizedGraph graph) {
    Path file = folder.resolve("quantized.onnx");
    OnnxExport.ofQuantized(graph, OnnxOptions.defaults()).writeTo(file);
    return file;
  }

  @Test
  void everyQuantizedValueIsCompared() throws Exception {
    QuantizedGraph graph = quantized(7);
    IntegerNetwork reference = IntegerNetwork.of(graph);
    try (OnnxVerifier verifier =
        OnnxVerifier.open(file(graph), reference, OnnxRuntimeOptions.DEFAULTS)) {
      for (int seed = 0; seed < 3; seed++) {
        verifier.accept(Map.of("in", RandomGraphs.input(graph, 16, seed)));
      }
      OnnxComparison comparison = verifier.snapshot();
      assertEquals(
          List.of("in", "conv", "squashed", "flat", "logits"),
          comparison.layers().stream().map(OnnxComparison.Layer::name).toList());
      OnnxComparison.Layer conv = comparison.layers().get(1);
      assertEquals(new OnnxComparison.Layer("conv", 48 * 144, 0, 0, true), conv);
      assertEquals(false, comparison.layers().get(2).promised());
      assertTrue(comparison.maxDifference() <= 1, comparison.toJson());
      assertTrue(comparison.mismatches() < comparison.elements() / 1000, comparison.toJson());
      JsonNode json = new ObjectMapper().readTree(comparison.toJson());
      assertEquals(comparison.elements(), json.get("elements").asLong());
      assertEquals("logits", json.get("layers").get(4).get("name").asText());
    }
  }

  @Test
  void anotherNetworkIsFoundOut() {
    QuantizedGraph graph = quantized(7);
    IntegerNetwork other = IntegerNetwork.of(quantized(5));
    try (OnnxVerifier verifier =
        OnnxVerifier.open(file(graph), other, OnnxRuntimeOptions.DEFAULTS)) {
      verifier.accept(Map.of("in", RandomGraphs.input(graph, 16, 1)));
      OnnxComparison comparison = verifier.snapshot();
      assertEquals(0, comparison.layers().get(1).mismatches());
      assertTrue(comparison.layers().get(2).mismatches() > 1000, comparison.toJson());
      assertTrue(comparison.outputDifference() > 1e-3, comparison.toJson());
    }
  }

  @Test
  void aFileWithOtherValuesIsRefused() {
    Path file = file(quantized(7));
    NetworkGraph graph =
        NetworkGraph.builder().input("in", 8).add("out", new Flatten(), "in").output("out").build();
    IntegerNetwork other =
        IntegerNetwork.of(
            QuantizedGraph.builder(graph)
                .format("in", ActivationFormat.perTensor(FixedPointFormat.signed(8, 5)))
                .build());
    assertEquals(
        file
            + ": is of another network: has codes of [in, conv, squashed, flat, logits] instead of"
            + " [in, out]",
        assertThrows(
                InvalidOnnxException.class,
                () -> OnnxVerifier.open(file, other, OnnxRuntimeOptions.DEFAULTS))
            .getMessage());
  }

  @Test
  void aFloatFileCannotBeVerified() {
    Path file = folder.resolve("float.onnx");
    OnnxExport.ofFloat(network(), OnnxOptions.defaults()).writeTo(file);
    IntegerNetwork reference = IntegerNetwork.of(quantized(7));
    assertEquals(
        file + ": not a quantized ONNX file of this library: no metadata entry 'dl4j-quant.codes'",
        assertThrows(
                InvalidOnnxException.class,
                () -> OnnxVerifier.open(file, reference, OnnxRuntimeOptions.DEFAULTS))
            .getMessage());
  }

  @Test
  void sevenBitWeightsAreANetworkOfTheirOwn() {
    QuantizedGraph reduced = ReducedRange.sevenBitWeights(quantized(7));
    for (String node : List.of("conv/preactivation", "logits")) {
      QuantizedTensor weight = reduced.weights(node).orElseThrow().weight();
      assertEquals(7, weight.bitWidth());
      for (int code : weight.codes()) {
        assertTrue(Math.abs(code) <= 63, node + " has " + code);
      }
    }
    try (OnnxVerifier verifier =
        OnnxVerifier.open(file(reduced), IntegerNetwork.of(reduced), OnnxRuntimeOptions.DEFAULTS)) {
      verifier.accept(Map.of("in", RandomGraphs.input(reduced, 16, 1)));
      assertEquals(0, verifier.snapshot().layers().get(1).mismatches());
    }
    Tensor input = RandomGraphs.input(reduced, 16, 2);
    float[] eight = IntegerNetwork.of(quantized(7)).output(input).values();
    float[] seven = IntegerNetwork.of(reduced).output(input).values();
    for (int i = 0; i < seven.length; i++) {
      assertEquals(eight[i], seven[i], 0.3);
    }
  }

  @Test
  void theProbeKnowsThisProcessor() {
    IntegerKernels kernels = IntegerKernels.probe();
    boolean exact = kernels.instructions().stream().anyMatch(name -> name.contains("vnni"));
    if (exact) {
      assertEquals(false, kernels.saturate(), kernels.toString());
    }
  }

  private static OnnxComparison.Layer layer(String name, int mismatches, boolean promised) {
    return new OnnxComparison.Layer(name, 9, mismatches, Math.min(1, mismatches), promised);
  }

  private static List<String> broken(OnnxComparison.Layer... layers) {
    return new OnnxComparison(ImmutableList.copyOf(layers), 0)
        .broken(network()).stream().map(OnnxComparison.Layer::name).toList();
  }

  @Test
  void aPromiseIsBrokenWhereNothingBeforeDiffers() {
    OnnxComparison.Layer equal = layer("in", 0, true);
    assertEquals(
        List.of("conv"), broken(equal, layer("conv", 2, true), layer("squashed", 2, false)));
    assertEquals(List.of(), broken(equal, layer("squashed", 2, false), layer("logits", 3, true)));
    assertEquals(
        List.of("logits"), broken(equal, layer("squashed", 0, false), layer("logits", 3, true)));
    assertEquals(List.of(), broken(equal, layer("squashed", 1, false)));
  }

  @Test
  void anUnpromisedDifferenceOnOneBranchHidesNoneOnAnother() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 3)
            .add("one", new Activation(ScalarFunction.Smooth.TANH), "in")
            .add("other", new Activation(ScalarFunction.relu()), "in")
            .output("one")
            .output("other")
            .build();
    OnnxComparison found =
        new OnnxComparison(ImmutableList.of(layer("one", 1, false), layer("other", 1, true)), 0);
    assertEquals(List.of(layer("other", 1, true)), found.broken(graph));
  }
}
