package org.dl4jquant.onnxruntime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.util.Collections;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnx.SignedCodes;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions.Optimization;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sums just below 2^24, the last that a float counts one by one, on and beside the middle between
 * two codes.
 */
final class LargestBoundTest {
  private static final int CHANNELS = 48;
  private static final int SHIFT = 17;
  private static final long TIE = 1L << (SHIFT - 1);

  private static final IntegerKernels KERNELS = IntegerKernels.probe();

  /** One row of inputs per channel, of which the channel's sum is next to a tie. */
  private static final class Adversary {
    private final int[] weights;
    private final int[] inputs;
    private final long[] bias = new long[CHANNELS];

    private Adversary(int fan) {
      weights = new int[CHANNELS * fan];
      inputs = new int[CHANNELS * fan];
    }
  }

  private static Adversary adversary(FixedPointFormat input, int fan) {
    Random random = new Random(fan);
    Adversary adversary = new Adversary(fan);
    int[] weights = adversary.weights;
    int[] inputs = adversary.inputs;
    for (int c = 0; c < CHANNELS; c++) {
      long sum = 0;
      for (int i = 0; i < fan; i++) {
        boolean positive = input.signed() ? random.nextBoolean() : c % 2 == 0;
        weights[c * fan + i] = positive ? 127 : -127;
        boolean up = positive == (c % 2 == 0);
        inputs[c * fan + i] = (int) (up ? input.maxCode() : input.minCode());
        if (!input.signed()) {
          inputs[c * fan + i] = (int) input.maxCode();
        }
        sum += (long) weights[c * fan + i] * inputs[c * fan + i];
      }
      long size = Math.abs(sum);
      long tie = (size - TIE) / (2 * TIE) * (2 * TIE) + TIE - 2 * TIE * (c / 6 % 4);
      for (int i = 0; size - tie >= 127; i = (i + 1) % fan) {
        inputs[c * fan + i] -= Integer.signum(inputs[c * fan + i]);
        size -= 127;
      }
      adversary.bias[c] = Long.signum(sum) * (tie - size + c / 2 % 3 - 1);
    }
    return adversary;
  }

  private static QuantizedGraph graph(
      Weighted op, int[] in, FixedPointFormat input, Adversary adversary, Rounding rounding) {
    QuantizedWeights weights =
        new QuantizedWeights(
            QuantizedTensor.of(
                adversary.weights,
                Granularity.perChannel(0),
                Collections.nCopies(CHANNELS, FixedPointFormat.signed(8, 0)),
                op.weight().shape()),
            ImmutableLongArray.copyOf(adversary.bias),
            new AccumulatorFormat.FixedPoint(ImmutableIntArray.copyOf(new int[CHANNELS])));
    NetworkGraph graph =
        NetworkGraph.builder().input("in", in).add("out", op, "in").output("out").build();
    return QuantizedGraph.builder(graph)
        .rounding(rounding)
        .format("in", ActivationFormat.perTensor(input))
        .weights("out", weights)
        .format("out", ActivationFormat.perTensor(FixedPointFormat.signed(8, -SHIFT)))
        .build();
  }

  @ParameterizedTest
  @CsvSource({
    "true, INT8, false",
    "true, UINT8, false",
    "false, INT8, false",
    "true, INT8, true",
    "true, UINT8, true",
    "false, INT8, true"
  })
  void sumsNextToTiesBelowTwoToThe24AreEqual(
      boolean signed, SignedCodes container, boolean convolution) {
    Assumptions.assumeFalse(KERNELS.saturate(), "this processor's 8-bit sums saturate");
    FixedPointFormat input = new FixedPointFormat(8, 0, signed, false);
    int fan = signed ? 1031 : 518;
    int[] in = convolution ? new int[] {fan, 1, 1} : new int[] {fan};
    Weighted op =
        convolution
            ? Convolution.of(
                Tensor.zeros(CHANNELS, fan, 1, 1), Tensor.zeros(CHANNELS), Padding.NONE)
            : new Dense(Tensor.zeros(CHANNELS, fan), Tensor.zeros(CHANNELS));
    Adversary adversary = adversary(input, fan);
    QuantizedGraph graph = graph(op, in, input, adversary, Rounding.HALF_EVEN);
    IntegerNetwork reference = IntegerNetwork.of(graph);
    assertEquals(25, reference.accumulatorBits().get("out"), "sign and 24 bits");
    Tensor values = Tensor.zeros(graph.graph().shape("in").withBatch(CHANNELS));
    for (int i = 0; i < values.length(); i++) {
      values.values()[i] = adversary.inputs[i];
    }
    float[] expected = reference.output(values).values();
    float[] halfUp =
        IntegerNetwork.of(graph(op, in, input, adversary, Rounding.HALF_UP))
            .output(values)
            .values();
    int ties = 0;
    for (int i = 0; i < expected.length; i++) {
      ties += expected[i] == halfUp[i] ? 0 : 1;
    }
    assertTrue(ties >= CHANNELS / 12, "only " + ties + " ties");
    OnnxModel model =
        OnnxExport.ofQuantized(graph, OnnxOptions.builder().signedCodes(container).build());
    assertEquals(Map.of(), model.unpromised());
    for (Optimization level : Optimization.values()) {
      try (OnnxNetwork network =
          OnnxNetwork.of(model, OnnxRuntimeOptions.DEFAULTS.withOptimization(level))) {
        float[] found = network.outputs(Map.of("in", values)).values().asList().get(0).values();
        assertArrayEquals(expected, found, level.toString());
      }
    }
  }
}
