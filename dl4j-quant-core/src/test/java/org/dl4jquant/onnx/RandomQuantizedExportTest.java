package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.execute.RandomGraphs;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Networks of random operations, topology and formats, in the integer network and ONNX Runtime. */
final class RandomQuantizedExportTest {
  private static final int NETWORKS = Integer.getInteger("onnx.networks", 150);

  private long compared;
  private long unpromisedCompared;
  private long unpromisedDifferent;

  private static Set<String> promised(QuantizedGraph graph, OnnxModel model) {
    Set<String> promised = new HashSet<>();
    for (Node node : graph.graph().nodes()) {
      if (!model.unpromised().containsKey(node.name()) && promised.containsAll(node.inputs())) {
        promised.add(node.name());
      }
    }
    return promised;
  }

  /** Returns the file of a graph; nothing for paddings that ONNX does not know. */
  private static Optional<OnnxModel> exported(QuantizedGraph graph, SignedCodes signed, int opset) {
    OnnxOptions options =
        OnnxOptions.builder()
            .floatFunctions(FloatExportTest.AFFINE)
            .signedCodes(signed)
            .opset(opset)
            .build();
    try {
      return Optional.of(OnnxExport.ofQuantized(graph, options));
    } catch (UnsupportedOnnxException e) {
      assertTrue(e.getMessage().contains("padding"), e.getMessage());
      return Optional.empty();
    }
  }

  private void compare(long seed, boolean perChannel, SignedCodes signed) throws OrtException {
    compare(seed, RandomGraphs.graph(seed, 7, perChannel), signed, Opset.DEFAULT);
  }

  private void compare(long seed, QuantizedGraph graph, SignedCodes signed, int opset)
      throws OrtException {
    Optional<OnnxModel> exported = exported(graph, signed, opset);
    if (exported.isEmpty()) {
      return;
    }
    OnnxModel model = exported.get();
    Map<String, Tensor> input = Map.of("in", RandomGraphs.input(graph, 4, seed));
    Map<String, QuantizedTensor> expected = IntegerNetwork.of(graph).layerCodes(input);
    Set<String> promised = promised(graph, model);
    ExposedCodes exposed = ExposedCodes.of(model.toByteArray());
    String output = graph.graph().outputs().get(0);
    Tensor reference = IntegerNetwork.of(graph).outputs(input).get(output);
    for (OptLevel level : OptLevel.values()) {
      String where = "seed " + seed + " at " + level;
      try (OrtRunner runner = new OrtRunner(exposed.model(), level)) {
        Map<String, int[]> found = runner.codes(input, exposed);
        assertEquals(expected.keySet(), found.keySet(), where);
        found.forEach(
            (node, codes) -> {
              if (promised.contains(node)) {
                assertArrayEquals(expected.get(node).codes(), codes, where + ", " + node);
                compared += codes.length;
              } else {
                count(expected.get(node).codes(), codes);
              }
            });
      }
      try (OrtRunner runner = new OrtRunner(model.toByteArray(), level)) {
        Tensor found = runner.run(input).get(output);
        if (promised.contains(output) && expected.containsKey(output)) {
          assertArrayEquals(reference.values(), unsignedZeros(found), where + ", output");
        }
      }
    }
  }

  /** Rounding in float tells two zeros apart, codes have one. */
  private static float[] unsignedZeros(Tensor tensor) {
    float[] values = tensor.values().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] += 0f;
    }
    return values;
  }

  private void count(int[] expected, int[] codes) {
    assertEquals(expected.length, codes.length);
    for (int i = 0; i < codes.length; i++) {
      unpromisedCompared++;
      unpromisedDifferent += expected[i] == codes[i] ? 0 : 1;
    }
  }

  @ParameterizedTest
  @CsvSource({"false, INT8", "false, UINT8", "true, INT8"})
  void promisedCodesAreEqualAtEveryLevel(boolean perChannel, SignedCodes signed)
      throws OrtException {
    for (long seed = 0; seed < NETWORKS; seed++) {
      compare(seed, perChannel, signed);
    }
    assertTrue(compared > 100L * NETWORKS, "only " + compared + " codes compared");
    assertTrue(
        unpromisedDifferent < unpromisedCompared / 10,
        unpromisedDifferent + " of " + unpromisedCompared);
  }

  @ParameterizedTest
  @CsvSource({"INT8, 13", "UINT8, 17", "INT8, 21"})
  void codesOfLogarithmicValuesAreEqualAtEveryLevel(SignedCodes signed, int opset)
      throws OrtException {
    for (long seed = 0; seed < NETWORKS; seed++) {
      compare(seed, RandomGraphs.logarithmic(seed, 7), signed, opset);
    }
    assertTrue(compared > 100L * NETWORKS, "only " + compared + " codes compared");
  }

  /** The codes of a node may differ by one if those before it are equal. */
  private void compareAffine(long seed, SignedCodes signed) throws OrtException {
    QuantizedGraph graph = RandomGraphs.affine(seed, 7);
    Optional<OnnxModel> exported = exported(graph, signed, Opset.DEFAULT);
    if (exported.isEmpty()) {
      return;
    }
    OnnxModel model = exported.get();
    Map<String, Tensor> input = Map.of("in", RandomGraphs.input(graph, 4, seed));
    Map<String, QuantizedTensor> expected = IntegerNetwork.of(graph).layerCodes(input);
    ExposedCodes exposed = ExposedCodes.of(model.toByteArray());
    for (OptLevel level : OptLevel.values()) {
      try (OrtRunner runner = new OrtRunner(exposed.model(), level)) {
        Map<String, int[]> found = runner.codes(input, exposed);
        assertEquals(expected.keySet(), found.keySet());
        Set<String> equal = new HashSet<>();
        for (Node node : graph.graph().nodes()) {
          boolean sums = graph.carrier(node.name()) == QuantizedGraph.Carrier.SUMS;
          boolean inputsEqual = equal.containsAll(node.inputs());
          int most = sums ? 0 : largestDifference(expected, found, node.name());
          if (inputsEqual && most == 0) {
            equal.add(node.name());
          }
          boolean mayDiffer = model.unpromised().containsKey(node.name());
          assertTrue(
              !inputsEqual || most <= (mayDiffer ? 1 : 0),
              "seed %d at %s, %s: %d".formatted(seed, level, node.name(), most));
        }
      }
    }
  }

  private int largestDifference(
      Map<String, QuantizedTensor> expected, Map<String, int[]> found, String node) {
    if (!expected.containsKey(node)) {
      return 0;
    }
    int[] own = expected.get(node).codes();
    int[] other = found.get(node);
    count(own, other);
    int most = 0;
    for (int i = 0; i < own.length; i++) {
      most = Math.max(most, Math.abs(own[i] - other[i]));
    }
    return most;
  }

  @ParameterizedTest
  @CsvSource({"INT8", "UINT8"})
  void affineCodesDifferByOneAtMost(SignedCodes signed) throws OrtException {
    for (long seed = 0; seed < NETWORKS; seed++) {
      compareAffine(seed, signed);
    }
    assertTrue(unpromisedCompared > 100L * NETWORKS, unpromisedCompared + " codes compared");
    assertTrue(
        unpromisedDifferent < unpromisedCompared / 200,
        unpromisedDifferent + " of " + unpromisedCompared);
  }

  @Test
  void theMetadataTellsTheFormats() {
    QuantizedGraph graph = RandomGraphs.graph(1, 3, false);
    OnnxModel model =
        OnnxExport.ofQuantized(
            graph, OnnxOptions.builder().floatFunctions(FloatExportTest.AFFINE).build());
    String codes = String.valueOf(model.metadata().get(CodeTensor.KEY));
    assertTrue(codes.startsWith("{\"in\":{\"tensor\":\"in/codes\",\"type\":\"INT"), codes);
    assertTrue(codes.contains(graph.format("in").orElseThrow().formats().get(0).toString()), codes);
  }
}
