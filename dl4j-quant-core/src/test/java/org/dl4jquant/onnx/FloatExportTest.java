package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.execute.RandomGraphs;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Window;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class FloatExportTest {
  /** The function of {@link RandomGraphs}: 0.7 x + 0.1. */
  static final FloatFunctionExport AFFINE =
      (function, target) -> {
        if (!function.name().equals("Affine")) {
          return Optional.empty();
        }
        String factor = target.floats("factor", new float[] {0.7f}, 1);
        String addend = target.floats("addend", new float[] {0.1f}, 1);
        String product = target.node("Mul", List.of(target.inputs().get(0), factor), Map.of());
        return Optional.of(target.node("Add", List.of(product, addend), Map.of()));
      };

  private static final OnnxOptions OPTIONS = OnnxOptions.builder().floatFunctions(AFFINE).build();

  private static void assertSame(NetworkGraph graph, Map<String, Tensor> inputs, String what)
      throws OrtException {
    Map<String, Tensor> expected = FloatNetwork.of(graph).values(inputs);
    byte[] model = OnnxExport.ofFloat(graph, OPTIONS).toByteArray();
    try (OrtRunner runner = new OrtRunner(model, OptLevel.ALL_OPT)) {
      Map<String, Tensor> found = runner.run(inputs);
      assertEquals(List.copyOf(graph.outputs()), List.copyOf(found.keySet()), what);
      for (String output : graph.outputs()) {
        Tensor reference = expected.get(output);
        Tensor actual = found.get(output);
        assertArrayEquals(reference.shape(), actual.shape(), what + " " + output);
        float scale = 1;
        for (float value : reference.values()) {
          scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < reference.length(); i++) {
          assertEquals(
              reference.values()[i], actual.values()[i], 1e-5f * scale, what + " " + output);
        }
      }
    }
  }

  private static NetworkGraph single(Op op, int... sizes) {
    return NetworkGraph.builder().input("in", sizes).add("out", op, "in").output("out").build();
  }

  private static void assertSame(Op op, int[] declared, int... actual) throws OrtException {
    Tensor input = RandomGraphs.random(new Random(7), 1.5, actual);
    assertSame(single(op, declared), Map.of("in", input), op.toString());
  }

  @Test
  void randomNetworksComputeTheSame() throws OrtException {
    int written = 0;
    for (int seed = 0; seed < 300; seed++) {
      var graph = RandomGraphs.graph(seed, 8, false);
      try {
        OnnxExport.ofFloat(graph.graph(), OPTIONS);
      } catch (UnsupportedOnnxException e) {
        assertTrue(e.getMessage().contains("padding"), e.getMessage());
        continue;
      }
      Tensor input = RandomGraphs.input(graph, 1 + seed % 3, seed);
      assertSame(graph.graph(), Map.of("in", input), "seed " + seed);
      written++;
    }
    assertTrue(written > 280, "only " + written);
  }

  @Test
  void everyFunctionComputesTheSame() throws OrtException {
    List<ScalarFunction> functions =
        List.of(
            ScalarFunction.relu(),
            ScalarFunction.relu6(),
            ScalarFunction.identity(),
            new ScalarFunction.Clip(-1, Double.POSITIVE_INFINITY),
            new ScalarFunction.Clip(Double.NEGATIVE_INFINITY, 0.5),
            new ScalarFunction.LeakyRelu(0.01),
            new ScalarFunction.Elu(1.3),
            ScalarFunction.HardSigmoid.DL4J,
            new ScalarFunction.HardSigmoid(1 / 6.0, 0.5));
    for (ScalarFunction function : functions) {
      assertSame(new Activation(function), new int[] {40}, 3, 40);
    }
    for (ScalarFunction function : ScalarFunction.Smooth.values()) {
      assertSame(new Activation(function), new int[] {2, 5, 4}, 3, 2, 5, 4);
    }
  }

  @Test
  void softmaxIsOverTheChannelsAtEveryPosition() throws OrtException {
    assertSame(new Softmax(), new int[] {6}, 4, 6);
    assertSame(new Softmax(), new int[] {6, 3}, 4, 6, 3);
    assertSame(new Softmax(), new int[] {6, 3, 2}, 4, 6, 3, 2);
  }

  @Test
  void sizesMayBeUnknownUntilTheNetworkRuns() throws OrtException {
    Random random = new Random(3);
    Tensor weight = RandomGraphs.random(random, 0.5, 4, 2, 1, 3);
    Tensor bias = RandomGraphs.random(random, 0.5, 4);
    for (Padding padding : List.of(Padding.NONE, Padding.SAME, Padding.CAUSAL)) {
      for (int stride = 1; stride <= 3; stride++) {
        Convolution op =
            new Convolution(weight, bias, new Extent(1, stride), Extent.ONE, padding, 1);
        for (int time : new int[] {3, 7, 8, 9}) {
          assertSame(op, new int[] {2, Shape.UNKNOWN}, 2, 2, time);
        }
      }
    }
    Tensor square = RandomGraphs.random(random, 0.5, 4, 2, 3, 3);
    Convolution image =
        new Convolution(square, bias, Extent.square(2), Extent.ONE, Padding.SAME, 1);
    assertSame(image, new int[] {2, Shape.UNKNOWN, Shape.UNKNOWN}, 2, 2, 6, 9);
    Window window = Window.of(Extent.square(2), Extent.square(2), Padding.SAME);
    assertSame(new MaxPool(window), new int[] {2, Shape.UNKNOWN, Shape.UNKNOWN}, 2, 2, 7, 4);
    assertSame(
        new AveragePool(window, false), new int[] {2, Shape.UNKNOWN, Shape.UNKNOWN}, 2, 2, 7, 4);
    assertSame(new Upsample(new Extent(2, 3)), new int[] {2, Shape.UNKNOWN, 4}, 2, 2, 5, 4);
    assertSame(new Reshape(Shape.of(2, Shape.UNKNOWN)), new int[] {4, Shape.UNKNOWN}, 3, 4, 5);
    assertSame(Permute.of(1, 0), new int[] {4, Shape.UNKNOWN}, 3, 4, 5);
  }

  @Test
  void aWindowWithHeightMovesOverSequences() throws OrtException {
    Random random = new Random(4);
    Tensor weight = RandomGraphs.random(random, 0.5, 4, 2, 3, 3);
    Tensor bias = RandomGraphs.random(random, 0.5, 4);
    assertSame(Convolution.of(weight, bias, Padding.symmetric(1, 1)), new int[] {2, 6}, 2, 2, 6);
    assertSame(
        new MaxPool(Window.of(Extent.square(3), Extent.ONE, Padding.symmetric(1, 1))),
        new int[] {2, 6},
        2,
        2,
        6);
  }

  @Test
  void deconvolutionsWithStridesBeyondTheKernelLeaveZeros() throws OrtException {
    Random random = new Random(5);
    Tensor weight = RandomGraphs.random(random, 0.5, 4, 2, 2, 2);
    Tensor bias = RandomGraphs.random(random, 0.5, 4);
    assertSame(
        new Deconvolution(weight, bias, Extent.square(3), Extent.ONE, Padding.SAME),
        new int[] {2, 3, 4},
        2,
        2,
        3,
        4);
    assertSame(
        new Deconvolution(weight, bias, Extent.square(2), Extent.ONE, Padding.symmetric(1, 1)),
        new int[] {2, 3, 4},
        2,
        2,
        3,
        4);
  }

  @Test
  void severalInputsAndOutputsKeepTheirNames() throws OrtException {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("left", 3, 4)
            .input("right/one", 3, 4)
            .add("sum", new org.dl4jquant.graph.Add(), "left", "right/one", "left")
            .add("joined", org.dl4jquant.graph.Concat.CHANNELS, "sum", "right/one")
            .output("joined", "sum")
            .build();
    Random random = new Random(6);
    assertSame(
        graph,
        Map.of(
            "left", RandomGraphs.random(random, 1, 5, 3, 4),
            "right/one", RandomGraphs.random(random, 1, 5, 3, 4)),
        "two inputs");
  }

  @Test
  void whatOnnxCannotSayIsRefusedByName() {
    NetworkGraph graph = RandomGraphs.graph(0, 8, false).graph();
    int seed = 0;
    while (graph.nodes().stream().noneMatch(node -> node.op().kind().equals("Affine"))) {
      graph = RandomGraphs.graph(++seed, 8, false).graph();
    }
    NetworkGraph unknown = graph;
    String message =
        assertThrows(
                UnsupportedOnnxException.class,
                () -> OnnxExport.ofFloat(unknown, OnnxOptions.defaults()))
            .getMessage();
    assertTrue(message.matches("Affine 'Affine\\d+' cannot be .*: it is a test"), message);
    Window dilated = new Window(Extent.square(2), Extent.ONE, Extent.square(2), Padding.NONE);
    NetworkGraph pool = single(new AveragePool(dilated, true), 2, 5, 5);
    assertEquals(19, OnnxExport.ofFloat(pool, OnnxOptions.defaults()).opset());
    assertEquals(
        "AveragePool 'out' cannot be written as ONNX: dilation needs opset 19, found 17",
        assertThrows(
                UnsupportedOnnxException.class,
                () -> OnnxExport.ofFloat(pool, OnnxOptions.builder().opset(17).build()))
            .getMessage());
  }

  @Test
  void theFileTellsItsVersionsAndHash() {
    NetworkGraph graph = single(new Softmax(), 3);
    OnnxModel model =
        OnnxExport.ofFloat(graph, OnnxOptions.builder().metadata("source", "a test").build());
    assertEquals(17, model.opset());
    assertEquals(8, model.irVersion());
    assertEquals("a test", model.metadata().get("source"));
    assertEquals(64, model.metadata().get(OnnxModel.HASH_KEY).length());
    assertArrayEquals(
        model.toByteArray(),
        OnnxExport.ofFloat(graph, OnnxOptions.builder().metadata("source", "a test").build())
            .toByteArray());
    for (int opset = 13; opset <= 22; opset++) {
      OnnxModel other = OnnxExport.ofFloat(graph, OnnxOptions.builder().opset(opset).build());
      assertEquals(opset, other.opset());
    }
    assertEquals(
        "opset must be between 13 and 22, found 23",
        assertThrows(IllegalArgumentException.class, () -> OnnxOptions.builder().opset(23))
            .getMessage());
  }
}
