package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import com.google.common.collect.ImmutableList;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.ScalarFunction.Smooth;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Window;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How often codes differ where nothing is promised: 10^6 codes of 8 bits of each kind, from inputs
 * of 8 and of 16 bits on 16 grids. Functions of one value take every code there is, of 16 bits
 * 10^6.
 */
final class UnpromisedRatesTest {
  private static final int CODES = 1_000_000;
  private static final int GRIDS = 16;
  private static final int MOST_DIFFERENT = 100;
  private static final Shape IMAGE = Shape.of(4, 9, 9);

  /**
   * One kind of node.
   *
   * @param output its format, 8 bits
   */
  record Kind(String name, Op op, Shape shape, FixedPointFormat output) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Kind function(ScalarFunction function, String name, FixedPointFormat output) {
    return new Kind(name, new Activation(function), Shape.of(16), output);
  }

  private static Kind pool(String name, int side, Padding padding, boolean countsPadding) {
    Window window = Window.of(Extent.square(side), Extent.ONE, padding);
    return new Kind(
        name, new AveragePool(window, countsPadding), IMAGE, FixedPointFormat.signed(8, 3));
  }

  static Stream<Kind> kinds() {
    FixedPointFormat wide = FixedPointFormat.signed(8, 4);
    FixedPointFormat share = FixedPointFormat.unsigned(8, 8);
    FixedPointFormat unit = FixedPointFormat.signed(8, 7);
    return Stream.of(
        function(Smooth.SIGMOID, "sigmoid", share),
        function(Smooth.TANH, "tanh", unit),
        function(new ScalarFunction.LeakyRelu(0.01), "leaky ReLU", wide),
        function(new ScalarFunction.LeakyRelu(0.3), "leaky ReLU 0.3", wide),
        function(new ScalarFunction.Elu(1), "ELU", wide),
        function(Smooth.SELU, "SELU", wide),
        function(ScalarFunction.HardSigmoid.DL4J, "hard sigmoid", share),
        function(Smooth.SOFTPLUS, "softplus", wide),
        function(Smooth.SOFTSIGN, "softsign", unit),
        function(Smooth.SWISH, "swish", wide),
        function(Smooth.MISH, "Mish", wide),
        function(Smooth.CUBE, "cube", wide),
        function(Smooth.RECTIFIED_TANH, "rectified tanh", share),
        new Kind("softmax", new Softmax(), Shape.of(10), share),
        pool("average of 3 by 3", 3, Padding.NONE, false),
        pool("average of 5 by 5", 5, Padding.NONE, false),
        pool("average of 2 by 2 within the border", 2, Padding.SAME, false),
        pool("average of 3 by 3 within the border", 3, Padding.SAME, false),
        new Kind(
            "global average of 81",
            new GlobalPool(GlobalPool.Reduction.AVERAGE),
            IMAGE,
            FixedPointFormat.signed(8, 4)));
  }

  private static QuantizedGraph graph(Kind kind, FixedPointFormat input) {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", kind.shape().sizes().toArray())
            .add("op", kind.op(), "in")
            .output("op")
            .build();
    return QuantizedGraph.builder(graph)
        .format("in", ActivationFormat.perTensor(input))
        .format("op", ActivationFormat.perTensor(kind.output()))
        .build();
  }

  private static Tensor codes(Kind kind, FixedPointFormat format, long seed) {
    int count = 1 << format.bitWidth();
    int perExample = kind.shape().elements();
    boolean every = kind.op() instanceof Activation;
    int outputs = kind.op().outputShape(ImmutableList.of(kind.shape())).elements();
    int batch = every ? Math.max(1, count / perExample) : CODES / GRIDS / outputs + 1;
    Tensor values = Tensor.zeros(kind.shape().withBatch(batch));
    Random random = new Random(seed);
    for (int i = 0; i < values.length(); i++) {
      long code = format.minCode() + (every ? i % count : random.nextInt(count));
      values.values()[i] = (float) Math.scalb((double) code, -format.fractionalLength());
    }
    return values;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void fewCodesDifferAndByOneOnly(Kind kind, TestReporter reporter) throws OrtException {
    for (int bits : new int[] {8, 16}) {
      long compared = 0;
      long different = 0;
      for (int length = bits - 10; length < bits - 10 + GRIDS; length++) {
        FixedPointFormat input = FixedPointFormat.signed(bits, length);
        QuantizedGraph graph = graph(kind, input);
        OnnxModel model =
            OnnxExport.ofQuantized(graph, OnnxOptions.builder().opset(Opset.SIXTEEN_BITS).build());
        assertEquals(Set.of("op"), model.unpromised().keySet());
        Tensor values = codes(kind, input, length);
        float[] expected = IntegerNetwork.of(graph).output(values).values();
        try (OrtRunner runner = new OrtRunner(model.toByteArray(), OptLevel.ALL_OPT)) {
          float[] found = runner.run(Map.of("in", values)).get("op").values();
          double step = Math.scalb(1.0, -kind.output().fractionalLength());
          for (int i = 0; i < found.length; i++) {
            different += found[i] == expected[i] ? 0 : 1;
            assertEquals(expected[i], found[i], step, () -> kind + " of " + input);
          }
          compared += found.length;
        }
      }
      reporter.publishEntry(kind + ", " + bits + " bits", different + " of " + compared);
      long most = Math.max(1, MOST_DIFFERENT * compared / CODES);
      assertTrue(different <= most, kind + ": " + different + " of " + compared);
    }
  }
}
