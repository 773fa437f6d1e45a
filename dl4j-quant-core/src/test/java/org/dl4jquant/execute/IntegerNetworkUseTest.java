package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** How integer networks are used: inputs, outputs, float parts, wide sums, several threads. */
final class IntegerNetworkUseTest {
  private static final ActivationFormat EIGHT = format(8, 5);

  private final Random random = new Random(9);

  private static ActivationFormat format(int bits, int fractionalLength) {
    return ActivationFormat.perTensor(FixedPointFormat.signed(bits, fractionalLength));
  }

  private Tensor random(double scale, int... shape) {
    return RandomGraphs.random(random, scale, shape);
  }

  private Dense dense(int out, int in) {
    return new Dense(random(0.4, out, in), random(0.4, out));
  }

  private static QuantizedWeights weights(Weighted op, ActivationFormat input, int bits) {
    QuantizedTensor weight =
        QuantizedTensor.quantize(
            op.weight(),
            Granularity.perTensor(),
            ImmutableList.of(FixedPointFormat.signed(bits, bits - 2)),
            Rounding.HALF_EVEN);
    return QuantizedWeights.onFinestGrid(op, weight, input, Rounding.HALF_EVEN, 32);
  }

  @Test
  void endsInASoftmaxOfTheLogitsThatItsCodesStandFor() {
    Dense op = dense(4, 3);
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 3)
            .add("out/preactivation", op, "in")
            .add("out", new Softmax(), "out/preactivation")
            .output("out")
            .build();
    IntegerNetwork network =
        IntegerNetwork.of(
            QuantizedGraph.builder(graph)
                .format("in", EIGHT)
                .weights("out/preactivation", weights(op, EIGHT, 8))
                .format("out/preactivation", format(8, 4))
                .build());
    Tensor input = random(1, 5, 3);
    Tensor logits = network.outputCodes(input).dequantize();
    float[] output = network.output(input).values();
    for (int e = 0; e < 5; e++) {
      double sum = 0;
      for (int i = 0; i < 4; i++) {
        sum += Math.exp(logits.values()[e * 4 + i]);
      }
      for (int i = 0; i < 4; i++) {
        assertEquals(Math.exp(logits.values()[e * 4 + i]) / sum, output[e * 4 + i], 1e-6);
      }
    }
  }

  /** Two inputs of different formats, joined; three outputs: codes, sums as floats, an input. */
  private QuantizedGraph twoInputs() {
    Dense left = dense(5, 3);
    Dense right = dense(4, 6);
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("a", 3)
            .input("b", 6)
            .add("left", left, "a")
            .add("right", right, "b")
            .add("both", new Concat(0), "left", "a")
            .output("both", "right", "b")
            .build();
    return QuantizedGraph.builder(graph)
        .format("a", EIGHT)
        .format("b", format(6, 2))
        .weights("left", weights(left, EIGHT, 8))
        .format("left", format(8, 3))
        .weights("right", weights(right, format(6, 2), 4))
        .format("both", format(7, 3))
        .build();
  }

  @Test
  void takesSeveralInputsAndGivesSeveralOutputsByName() {
    QuantizedGraph graph = twoInputs();
    Map<String, Tensor> inputs = Map.of("a", random(1, 9, 3), "b", random(3, 9, 6));
    Oracle oracle = new Oracle(graph, inputs);
    Map<String, Tensor> outputs = IntegerNetwork.of(graph).outputs(inputs);
    assertEquals(List.of("both", "right", "b"), List.copyOf(outputs.keySet()));
    outputs.forEach((name, value) -> assertArrayEquals(oracle.floats(name), value.values(), name));
  }

  @Test
  void refusesInputsThatDoNotFit() {
    IntegerNetwork network = IntegerNetwork.of(twoInputs());
    Tensor three = random(1, 2, 3);
    assertMessage("the network has inputs [a, b]", () -> network.output(three));
    assertMessage("inputs must be [a, b], found [a]", () -> network.outputs(Map.of("a", three)));
    assertMessage(
        "input 'b' must have shape [6] after the batch, found [3]",
        () -> network.outputs(Map.of("a", three, "b", three)));
    Tensor other = random(1, 5, 6);
    String message = message(() -> network.outputs(Map.of("a", three, "b", other)));
    assertTrue(message.startsWith("inputs must share one batch size, found ["), message);
    assertMessage(
        "batch must hold at least one example, found 0",
        () -> network.outputs(Map.of("a", Tensor.zeros(0, 3), "b", Tensor.zeros(0, 6))));
  }

  private static String message(Runnable call) {
    return String.valueOf(assertThrows(RuntimeException.class, call::run).getMessage());
  }

  private static void assertMessage(String expected, Runnable call) {
    assertEquals(expected, message(call));
  }

  @Test
  void countsTheIndexOfNaNThroughTheWholeBatch() {
    IntegerNetwork network = IntegerNetwork.of(twoInputs());
    Tensor a = random(1, 100, 3);
    a.values()[299] = Float.NaN;
    assertMessage(
        "value of 'a' must be a number, found NaN at index 299",
        () -> network.outputs(Map.of("a", a, "b", random(1, 100, 6))));
  }

  @Test
  void saturatesInfiniteInputs() {
    IntegerNetwork network = IntegerNetwork.of(twoInputs());
    Tensor a = Tensor.of(new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0}, 1, 3);
    int[] codes = network.layerCodes("a", Map.of("a", a, "b", Tensor.zeros(1, 6))).codes();
    assertArrayEquals(new int[] {127, -128, 0}, codes);
  }

  @Test
  void computesAFloatNodeInTheMiddleAndGoesOnInIntegers() {
    Dense first = dense(4, 3);
    Dense second = dense(2, 4);
    FloatFunction.Kernel square =
        new FloatFunction.Kernel() {
          @Override
          public Shape outputShape(ImmutableList<Shape> inputs) {
            return inputs.get(0);
          }

          @Override
          public Tensor apply(ImmutableList<Tensor> inputs) {
            Tensor y = Tensor.zeros(inputs.get(0).shape());
            for (int i = 0; i < y.length(); i++) {
              y.values()[i] = inputs.get(0).values()[i] * inputs.get(0).values()[i];
            }
            return y;
          }
        };
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 3)
            .add("first", first, "in")
            .add("square", new FloatFunction("Square", "it is a test", square), "first")
            .add("second", second, "square")
            .output("second")
            .build();
    QuantizedGraph quantized =
        QuantizedGraph.builder(graph)
            .format("in", EIGHT)
            .weights("first", weights(first, EIGHT, 8))
            .format("square", format(9, 5))
            .weights("second", weights(second, format(9, 5), 5))
            .format("second", format(8, 3))
            .build();
    Tensor input = random(1, 11, 3);
    assertArrayEquals(
        new Oracle(quantized, Map.of("in", input)).codes("second"),
        IntegerNetwork.of(quantized).outputCodes(input).codes());
  }

  @Test
  void permutesChannelsLastImages() {
    Convolution op = Convolution.of(random(0.4, 3, 2, 2, 2), random(0.4, 3), Padding.SAME);
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 5, 4, 2)
            .add("first", Permute.of(2, 0, 1), "in")
            .add("conv", op, "first")
            .add("last", Permute.of(1, 2, 0), "conv")
            .output("last")
            .build();
    QuantizedGraph quantized =
        QuantizedGraph.builder(graph)
            .format("in", EIGHT)
            .weights("conv", weights(op, EIGHT, 8))
            .format("conv", format(8, 4))
            .build();
    Tensor input = random(1, 10, 5, 4, 2);
    IntegerNetwork network = IntegerNetwork.of(quantized);
    Oracle oracle = new Oracle(quantized, Map.of("in", input));
    assertArrayEquals(oracle.codes("conv"), network.layerCodes("conv", input).codes());
    assertArrayEquals(oracle.codes("last"), network.outputCodes(input).codes());
    assertArrayEquals(new int[] {10, 5, 4, 3}, network.output(input).shape());
  }

  @Test
  void sumsIn64BitsWhere32DoNotHold() {
    ActivationFormat wide = format(16, 12);
    Dense op = dense(3, 64);
    Convolution convolution = Convolution.of(random(0.4, 4, 8, 3, 3), random(1, 4), Padding.SAME);
    for (Weighted weighted : List.of(op, convolution)) {
      int[] shape = weighted instanceof Dense ? new int[] {64} : new int[] {8, 5, 5};
      NetworkGraph graph =
          NetworkGraph.builder().input("in", shape).add("w", weighted, "in").output("w").build();
      QuantizedGraph quantized =
          QuantizedGraph.builder(graph)
              .format("in", wide)
              .weights("w", weights(weighted, wide, 16))
              .format("w", format(16, 10))
              .build();
      IntegerNetwork network = IntegerNetwork.of(quantized);
      assertTrue(network.accumulatorBits().getOrDefault("w", 0) > 32);
      Tensor input = random(3, Shape.of(shape).withBatch(9));
      assertArrayEquals(
          new Oracle(quantized, Map.of("in", input)).codes("w"),
          network.outputCodes(input).codes());
    }
  }

  @Test
  void isThreadSafe() throws Exception {
    QuantizedGraph graph = RandomGraphs.graph(12, 9, true);
    IntegerNetwork network = IntegerNetwork.of(graph);
    List<Tensor> inputs = new ArrayList<>();
    List<float[]> expected = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      inputs.add(RandomGraphs.input(graph, 1 + i % 9, i));
      expected.add(IntegerNetwork.of(graph).withParallelism(1).output(inputs.get(i)).values());
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<float[]>> calls = new ArrayList<>();
      for (int round = 0; round < 10; round++) {
        inputs.forEach(input -> calls.add(() -> network.output(input).values()));
      }
      List<Future<float[]>> results = threads.invokeAll(calls);
      for (int i = 0; i < results.size(); i++) {
        assertArrayEquals(expected.get(i % expected.size()), results.get(i).get());
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
