package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.ProductAlignment;
import org.dl4jquant.graph.ProductAlignment.Rule;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Method A's worked example with each rule, and the guards. */
final class ProductAlignmentTest {
  private static final ActivationFormat OUTPUT =
      ActivationFormat.perTensor(FixedPointFormat.signed(8, 2));

  private static Dense dense(float bias, float... weights) {
    return new Dense(Tensor.of(weights, 1, weights.length), Tensor.of(new float[] {bias}, 1));
  }

  private static ActivationFormat inputs(int... lengths) {
    return ActivationFormat.perChannel(
        Arrays.stream(lengths).mapToObj(length -> FixedPointFormat.signed(8, length)).toList());
  }

  /** Every slice in its own format, by the range rule. */
  private static QuantizedTensor weights(Dense dense) {
    float[] values = dense.weight().values();
    FixedPointFormat[] formats = new FixedPointFormat[values.length];
    for (int i = 0; i < values.length; i++) {
      formats[i] = FixedPointFormat.reaching(values[i] == 0 ? 1 : Math.abs(values[i]), 8, true);
    }
    return QuantizedTensor.quantize(
        dense.weight(), Granularity.perChannel(0, 1), Arrays.asList(formats), Rounding.HALF_EVEN);
  }

  private static QuantizedWeights aligned(Rule rule, int biasBits, Dense dense, int... lengths) {
    return new ProductAlignment(rule, biasBits, Rounding.HALF_EVEN)
        .align(dense, weights(dense), inputs(lengths), OUTPUT);
  }

  private static List<Integer> lengths(QuantizedWeights weights) {
    return weights.weight().formats().stream()
        .map(format -> ((FixedPointFormat) format).fractionalLength())
        .toList();
  }

  private static void isOn(int length, QuantizedWeights weights) {
    assertEquals(
        new AccumulatorFormat.FixedPoint(ImmutableIntArray.of(length)), weights.accumulator());
  }

  private static float output(Dense dense, QuantizedWeights weights, int[] lengths, float... x) {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", dense.inputChannels())
            .add("dense", dense, "in")
            .output("dense")
            .build();
    return IntegerNetwork.of(
            QuantizedGraph.builder(graph)
                .format("in", inputs(lengths))
                .weights("dense", weights)
                .format("dense", OUTPUT)
                .rounding(Rounding.HALF_UP)
                .build())
        .output(Tensor.of(x, 1, x.length))
        .values()[0];
  }

  @Test
  void theRangeRuleGivesThePublishedLengths() {
    float[] largest = {0.4f, 0.5f, 1, 1.5f, 0.03f};
    int[] expected = {8, 8, 7, 6, 12};
    for (int i = 0; i < largest.length; i++) {
      assertEquals(expected[i], FixedPointFormat.reaching(largest[i], 8, true).fractionalLength());
    }
    // a power of two saturates by one code
    NumberFormat half = FixedPointFormat.reaching(0.5, 8, true);
    assertEquals(127, half.quantize(0.5, Rounding.HALF_UP));
  }

  @Test
  void shiftMaxMeetsOnTheFinestGrid() {
    Dense dense = dense(0.1f, 0.40f, 1.5f);
    QuantizedWeights weights = aligned(Rule.SHIFT_MAX, 16, dense, 5, 3);
    assertEquals(List.of(8, 6), lengths(weights));
    assertArrayEquals(new int[] {102, 96}, weights.weight().codes());
    isOn(13, weights);
    assertEquals(ImmutableLongArray.of(819), weights.bias());
    assertEquals(-7.75f, output(dense, weights, new int[] {5, 3}, 0.75f, -5.5f));
  }

  @Test
  void alignMinMeetsOnTheCoarsestGrid() {
    Dense dense = dense(0.1f, 0.40f, 1.5f);
    QuantizedWeights weights = aligned(Rule.ALIGN_MIN, 16, dense, 5, 3);
    assertEquals(List.of(4, 6), lengths(weights));
    assertArrayEquals(new int[] {6, 96}, weights.weight().codes());
    isOn(9, weights);
    assertEquals(ImmutableLongArray.of(51), weights.bias());
    assertEquals(-7.75f, output(dense, weights, new int[] {5, 3}, 0.75f, -5.5f));
  }

  @Test
  void outputPutsTheBiasAloneOnTheGridOfTheOutput() {
    Dense dense = dense(1.4f, 0.40f, 1.5f);
    QuantizedWeights weights = aligned(Rule.OUTPUT, 16, dense, 5, 3);
    assertArrayEquals(new int[] {102, 96}, weights.weight().codes());
    isOn(13, weights);
    assertEquals(ImmutableLongArray.of(3 << 12), weights.bias()); // 1.5 of 1.4
    // (24 * 102 - 44 * 96 * 16 + 12288) / 2048 = -25.8
    assertEquals(-6.5f, output(dense, weights, new int[] {5, 3}, 0.75f, -5.5f));
  }

  @Test
  void aWeightKeepsThreeBitsAndItsProductsAreShiftedRight() {
    Dense dense = dense(0, 0.40f, 1.5f);
    QuantizedWeights weights = aligned(Rule.ALIGN_MIN, 16, dense, 20, 3);
    assertEquals(List.of(3, 6), lengths(weights));
    assertArrayEquals(new int[] {3, 96}, weights.weight().codes());
    isOn(9, weights);
    // 3 * 100 >> 14 = 0, so the second product alone: -44 * 96 / 128 = -33
    assertEquals(-8.25f, output(dense, weights, new int[] {20, 3}, 100 * 0x1p-20f, -5.5f));
  }

  @Test
  void aZeroSliceCountsNeitherForTheFinestNorForTheCoarsestGrid() {
    Dense dense = dense(0.1f, 0.40f, 0, 1.5f, 0);
    int[] in = {5, -9, 3, 30};
    isOn(13, aligned(Rule.SHIFT_MAX, 16, dense, in));
    QuantizedWeights weights = aligned(Rule.ALIGN_MIN, 16, dense, in);
    isOn(9, weights);
    assertEquals(List.of(4, 0, 6, 0), lengths(weights));
    assertArrayEquals(new int[] {6, 0, 96, 0}, weights.weight().codes());
    Dense dead = dense(0.5f, 0, 0);
    assertEquals(
        0.5f, output(dead, aligned(Rule.ALIGN_MIN, 16, dead, 5, 3), new int[] {5, 3}, 1, 1));
  }

  @Test
  void aBiasThatDoesNotFitCoarsensTheGrid() {
    Dense dense = dense(30.1f, 0.40f, 1.5f);
    for (Rule rule : Rule.values()) {
      QuantizedWeights weights = aligned(rule, 8, dense, 5, 3);
      isOn(2, weights);
      assertEquals(ImmutableLongArray.of(120), weights.bias());
      // 30.1 + 0.3 - 8.25 = 22.15
      assertEquals(22.15f, output(dense, weights, new int[] {5, 3}, 0.75f, -5.5f), 0.3f);
    }
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new ProductAlignment(Rule.SHIFT_MAX, 1, Rounding.HALF_EVEN))
            .getMessage();
    assertEquals("biasBits must be between 2 and 32, found 1", message);
  }

  @Test
  void everyRuleComputesTheFloatSumWithinItsSteps() {
    Random random = new Random(3);
    Map<Rule, Double> errors = new EnumMap<>(Rule.class);
    for (int trial = 0; trial < 300; trial++) {
      int n = 1 + random.nextInt(8);
      float[] w = new float[n];
      float[] x = new float[n];
      int[] lengths = new int[n];
      double sum = 0.3;
      for (int i = 0; i < n; i++) {
        lengths[i] = 5 + random.nextInt(5);
        w[i] = (float) random.nextGaussian() / n;
        x[i] = (random.nextInt(255) - 127) * (float) Math.scalb(1.0, -lengths[i]);
        sum += (double) w[i] * x[i];
      }
      Dense dense = dense(0.3f, w);
      for (Rule rule : Rule.values()) {
        float y = output(dense, aligned(rule, 16, dense, lengths), lengths, x);
        errors.merge(rule, Math.abs(y - sum), Math::max);
      }
    }
    // half a step of the output is 0.125; the bias 0.3 on the output's grid is 0.25
    assertTrue(errors.get(Rule.SHIFT_MAX) < 0.15, "SHIFT_MAX " + errors);
    assertTrue(errors.get(Rule.ALIGN_MIN) < 0.5, "ALIGN_MIN " + errors);
    assertTrue(errors.get(Rule.OUTPUT) < 0.275, "OUTPUT " + errors);
  }
}
