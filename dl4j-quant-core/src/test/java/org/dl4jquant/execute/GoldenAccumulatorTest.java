package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Method A's worked example, and sums that reach their proved width. */
final class GoldenAccumulatorTest {
  private static final ActivationFormat INPUT =
      ActivationFormat.perChannel(
          List.of(FixedPointFormat.signed(8, 5), FixedPointFormat.signed(8, 3)));
  private static final Dense DENSE =
      new Dense(Tensor.of(new float[] {0.40f, 1.5f}, 1, 2), Tensor.of(new float[] {0.1f}, 1));

  private static QuantizedGraph graph(Dense dense, QuantizedWeights weights, Rounding rounding) {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", dense.inputChannels())
            .add("dense", dense, "in")
            .output("dense")
            .build();
    return QuantizedGraph.builder(graph)
        .format("in", INPUT)
        .weights("dense", weights)
        .format("dense", ActivationFormat.perTensor(FixedPointFormat.signed(8, 2)))
        .rounding(rounding)
        .build();
  }

  private static QuantizedTensor weights(int first, int second) {
    return QuantizedTensor.quantize(
        DENSE.weight(),
        Granularity.perChannel(0, 1),
        List.of(FixedPointFormat.signed(8, first), FixedPointFormat.signed(8, second)),
        Rounding.HALF_EVEN);
  }

  private static void givesMinusSevenAndThreeQuarters(QuantizedWeights weights) {
    Tensor x = Tensor.of(new float[] {0.75f, -5.5f}, 1, 2);
    for (Rounding rounding : List.of(Rounding.HALF_EVEN, Rounding.HALF_UP)) {
      IntegerNetwork network = IntegerNetwork.of(graph(DENSE, weights, rounding));
      assertArrayEquals(new int[] {24, -44}, network.layerCodes("in", x).codes());
      assertArrayEquals(new int[] {-31}, network.outputCodes(x).codes());
      assertArrayEquals(new float[] {-7.75f}, network.output(x).values());
    }
  }

  @Test
  void sumsOnTheFinestGridOfTheProducts() {
    QuantizedWeights weights =
        QuantizedWeights.onFinestGrid(DENSE, weights(8, 6), INPUT, Rounding.HALF_EVEN, 16);
    assertArrayEquals(new int[] {102, 96}, weights.weight().codes());
    assertEquals(new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(13)), weights.accumulator());
    assertEquals(ImmutableLongArray.of(819), weights.bias());
    givesMinusSevenAndThreeQuarters(weights);
  }

  @Test
  void sumsOnTheCoarsestGridOfTheProducts() {
    QuantizedWeights weights =
        QuantizedWeights.onFinestGrid(DENSE, weights(4, 6), INPUT, Rounding.HALF_EVEN, 16);
    assertArrayEquals(new int[] {6, 96}, weights.weight().codes());
    assertEquals(new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(9)), weights.accumulator());
    assertEquals(ImmutableLongArray.of(51), weights.bias());
    givesMinusSevenAndThreeQuarters(weights);
  }

  @Test
  void coarsensTheGridThatTheBiasDoesNotFit() {
    QuantizedWeights weights =
        QuantizedWeights.onFinestGrid(DENSE, weights(8, 6), INPUT, Rounding.HALF_EVEN, 8);
    assertEquals(new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(10)), weights.accumulator());
    assertEquals(ImmutableLongArray.of(102), weights.bias());
    // 24 * 102 / 8 = 306, -44 * 96 * 2 = -8448, plus 102: -8040 / 256 = -31.4
    givesMinusSevenAndThreeQuarters(weights);
  }

  @Test
  void aZeroSliceDoesNotMakeTheGridFiner() {
    Dense dense = new Dense(Tensor.of(new float[] {0, 1.5f}, 1, 2), Tensor.of(new float[] {0}, 1));
    QuantizedTensor weight =
        QuantizedTensor.quantize(
            dense.weight(),
            Granularity.perChannel(0, 1),
            List.of(FixedPointFormat.signed(8, 30), FixedPointFormat.signed(8, 6)),
            Rounding.HALF_EVEN);
    assertEquals(
        new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(9)),
        QuantizedWeights.onFinestGrid(dense, weight, INPUT, Rounding.HALF_EVEN, 16).accumulator());
  }

  /** One output, {@code codes.length} inputs of {@code inputBits}, the sums dequantized. */
  private static IntegerNetwork sums(int[] codes, long bias, int bits, int inputBits, int shift) {
    Dense dense = new Dense(Tensor.zeros(1, codes.length), Tensor.zeros(1));
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", codes.length)
            .add("dense", dense, "in")
            .output("dense")
            .build();
    QuantizedTensor weight =
        QuantizedTensor.of(
            codes,
            Granularity.perTensor(),
            List.of(FixedPointFormat.signed(bits, 0)),
            1,
            codes.length);
    return IntegerNetwork.of(
        QuantizedGraph.builder(graph)
            .format("in", ActivationFormat.perTensor(FixedPointFormat.signed(inputBits, 0)))
            .weights(
                "dense",
                new QuantizedWeights(
                    weight,
                    ImmutableLongArray.of(bias),
                    new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(shift))))
            .build());
  }

  private static int[] filled(int length, int code) {
    int[] codes = new int[length];
    Arrays.fill(codes, code);
    return codes;
  }

  private static float sumOfLowest(IntegerNetwork network, int length, int inputBits) {
    float[] x = new float[length];
    Arrays.fill(x, -(1 << (inputBits - 1)));
    return network.output(Tensor.of(x, 1, length)).values()[0];
  }

  @Test
  void provesTheWidthThatAdversarialInputsReach() {
    IntegerNetwork fits = sums(filled(4, 127), (1L << 31) - 1 - 4 * 127 * 128, 8, 8, 0);
    assertEquals(32, fits.accumulatorBits().get("dense"));
    assertEquals((float) ((1L << 31) - 1 - 8L * 127 * 128), sumOfLowest(fits, 4, 8));
    IntegerNetwork negative = sums(filled(4, -127), (1L << 31) - 1 - 4 * 127 * 128, 8, 8, 0);
    assertEquals((float) ((1L << 31) - 1), sumOfLowest(negative, 4, 8));
  }

  @Test
  void takes64BitsWhereTheBoundAsksForThem() {
    IntegerNetwork wide = sums(filled(4, -127), (1L << 31) - 4 * 127 * 128, 8, 8, 0);
    assertEquals(33, wide.accumulatorBits().get("dense"));
    assertEquals((float) (1L << 31), sumOfLowest(wide, 4, 8));
    IntegerNetwork shifted = sums(filled(3, -32767), 0, 16, 16, 30);
    assertEquals(63, shifted.accumulatorBits().get("dense"));
    assertEquals(3f * 32767 * 32768, sumOfLowest(shifted, 3, 16));
  }

  @Test
  void refusesWhat63BitsDoNotHold() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> sums(filled(5, -32767), 0, 16, 16, 31));
    assertTrue(
        e.getMessage().contains("accumulator of 'dense' must fit 63 bits, found more"),
        e.getMessage());
  }
}
