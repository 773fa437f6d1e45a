package org.dl4jquant.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class TensorCodecTest {
  private enum Kind {
    FIXED,
    AFFINE,
    MIXED
  }

  private static final List<Kind> KINDS = List.of(Kind.FIXED, Kind.AFFINE, Kind.MIXED);

  private static Rounding rounding(int number) {
    return switch (number) {
      case 0 -> Rounding.HALF_EVEN;
      case 1 -> Rounding.HALF_UP;
      case 2 -> Rounding.TOWARD_ZERO;
      case 3 -> Rounding.FLOOR;
      default -> Rounding.stochastic(77);
    };
  }

  private static NumberFormat format(Kind kind, int bitWidth, boolean signed, Random random) {
    if (kind == Kind.FIXED || (kind == Kind.MIXED && random.nextBoolean())) {
      int length = random.nextInt(6) == 0 ? random.nextInt(129) - 64 : random.nextInt(bitWidth);
      return new FixedPointFormat(bitWidth, length, signed, signed && random.nextBoolean());
    }
    long min = signed ? -(1L << (bitWidth - 1)) : 0;
    return new AffineParameters(
        bitWidth,
        (float) Math.exp(random.nextGaussian() * 4 - 3),
        random.nextLong(min, min + (1L << bitWidth)),
        signed);
  }

  /** Returns a float of any size, a tie or a code of the format, or an infinite one. */
  private static float value(NumberFormat format, Random random) {
    double code = random.nextLong(format.minCode(), format.maxCode()) + random.nextInt(3) * 0.5;
    return switch (random.nextInt(8)) {
      case 0 -> random.nextBoolean() ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY;
      case 1 -> {
        float any = Float.intBitsToFloat(random.nextInt());
        yield Float.isNaN(any) ? -0.0f : any;
      }
      case 2 -> random.nextBoolean() ? -0.0f : -Float.MIN_VALUE;
      case 3, 4 ->
          (float)
              (format.minValue() + (format.maxValue() - format.minValue()) * random.nextFloat());
      default ->
          (float)
              (format.minValue()
                  + (code - format.minCode())
                      * (format.dequantize(format.minCode() + 1) - format.minValue()));
    };
  }

  private static Granularity granularity(int rank, Random random) {
    int chosen = random.nextInt(1 << rank);
    return chosen == 0
        ? Granularity.perTensor()
        : Granularity.perChannel(
            IntStream.range(0, rank).filter(axis -> (chosen >> axis & 1) == 1).toArray());
  }

  @Test
  void loopsGiveWhatTheFormatsGiveOneValueAtATime() {
    Random random = new Random(1);
    for (int trial = 0; trial < 4000; trial++) {
      Kind kind = KINDS.get(trial % 3);
      int[] shape = random.ints(random.nextInt(5), 1, 6).toArray();
      Granularity granularity = granularity(shape.length, random);
      int bitWidth = 2 + random.nextInt(31);
      boolean signed = bitWidth == 32 || random.nextBoolean();
      List<NumberFormat> formats = new ArrayList<>();
      for (int channel = 0; channel < granularity.channels(shape); channel++) {
        formats.add(format(kind, bitWidth, signed, random));
      }
      assertLoopsAgree(granularity, formats, shape, trial % 5, random);
    }
  }

  private static void assertLoopsAgree(
      Granularity granularity, List<NumberFormat> formats, int[] shape, int number, Random random) {
    int[] channels = granularity.channelOfEach(shape);
    TensorCodec codec = TensorCodec.of(granularity, formats, shape);
    String what = Arrays.toString(shape) + " " + formats + " rounding " + number;
    assertEquals(channels.length, codec.length());
    float[] values = new float[channels.length];
    int[] expected = new int[channels.length];
    float[] real = new float[channels.length];
    Rounding rounding = rounding(number);
    for (int i = 0; i < values.length; i++) {
      NumberFormat format = formats.get(channels[i]);
      values[i] = value(format, random);
      expected[i] = (int) format.quantize(values[i], rounding);
      real[i] = (float) format.dequantize(expected[i]);
    }
    float[] input = values.clone();
    int[] codes = new int[values.length];
    codec.quantize(values, rounding(number), codes);
    assertArrayEquals(expected, codes, what);
    assertBits(input, values, what);
    float[] dequantized = new float[values.length];
    codec.dequantize(codes, dequantized);
    assertBits(real, dequantized, what);
    codec.fakeQuantize(values, rounding(number));
    assertBits(real, values, what);
  }

  private static void assertBits(float[] expected, float[] found, String what) {
    for (int i = 0; i < expected.length; i++) {
      int at = i;
      assertEquals(
          Float.floatToRawIntBits(expected[i]),
          Float.floatToRawIntBits(found[i]),
          () -> expected[at] + " but " + found[at] + " at " + at + " " + what);
    }
  }

  @Test
  void emptyTensorsAreFine() {
    TensorCodec codec =
        TensorCodec.of(Granularity.perTensor(), List.of(FixedPointFormat.signed(8, 0)), 3, 0);
    codec.quantize(new float[0], Rounding.HALF_EVEN, new int[0]);
    codec.fakeQuantize(new float[0], Rounding.HALF_EVEN);
    assertEquals(0, codec.length());
  }

  @Test
  void theFirstNaNIsNamedAndNothingIsWritten() {
    List<NumberFormat> formats =
        List.of(
            FixedPointFormat.signed(8, 3),
            new AffineParameters(8, 0.1f, 0, true),
            new AffineParameters(24, 0.1f, 0, true));
    for (NumberFormat format : formats) {
      TensorCodec codec = TensorCodec.of(Granularity.perTensor(), List.of(format), 5);
      float[] values = {0.3f, 1.7f, 99, Float.NaN, Float.NaN};
      float[] before = values.clone();
      int[] codes = {9, 9, 9, 9, 9};
      String message = "values must be numbers, found NaN at index 3";
      assertMessage(message, () -> codec.quantize(values, Rounding.HALF_EVEN, codes));
      assertMessage(message, () -> codec.fakeQuantize(values, Rounding.HALF_EVEN));
      assertArrayEquals(new int[] {9, 9, 9, 9, 9}, codes);
      assertArrayEquals(before, values);
    }
  }

  @Test
  void aRefusedTensorTakesNothingFromTheStochasticStream() {
    TensorCodec codec =
        TensorCodec.of(Granularity.perTensor(), List.of(FixedPointFormat.signed(8, 0)), 2);
    Rounding rounding = Rounding.stochastic(3);
    assertThrows(
        IllegalArgumentException.class,
        () -> codec.fakeQuantize(new float[] {0.5f, Float.NaN}, rounding));
    assertEquals(Rounding.stochastic(3).round(0.123), rounding.round(0.123));
  }

  @Test
  void arraysOfAnotherLengthAreRefused() {
    TensorCodec codec =
        TensorCodec.of(Granularity.perTensor(), List.of(FixedPointFormat.signed(8, 0)), 2, 2);
    assertMessage(
        "values must have 4 elements, found 3",
        () -> codec.quantize(new float[3], Rounding.FLOOR, new int[4]));
    assertMessage(
        "codes must have 4 elements, found 5",
        () -> codec.quantize(new float[4], Rounding.FLOOR, new int[5]));
    assertMessage(
        "values must have 4 elements, found 5",
        () -> codec.fakeQuantize(new float[5], Rounding.FLOOR));
    assertMessage(
        "codes must have 4 elements, found 0", () -> codec.dequantize(new int[0], new float[4]));
  }

  @Test
  void formatsThatDoNotFitAreRefused() {
    FixedPointFormat eight = FixedPointFormat.signed(8, 0);
    Granularity rows = Granularity.perChannel(0);
    assertMessage(
        "formats must number 2 (per channel of axis 0, shape [2, 3]), found 1",
        () -> TensorCodec.of(rows, List.of(eight), 2, 3));
    assertMessage(
        "shape must have at least one channel (per channel of axis 0, shape [0, 3]), found 0",
        () -> TensorCodec.of(rows, List.of(), 0, 3));
    assertMessage(
        "formats must agree in bit width and signedness, found Q7.0 (8 bit) and UQ8.0 (8 bit)",
        () -> TensorCodec.of(rows, List.of(eight, FixedPointFormat.unsigned(8, 0)), 2, 3));
    assertMessage(
        "formats must agree in bit width and signedness, found Q7.0 (8 bit) and Q3.0 (4 bit)",
        () -> TensorCodec.of(rows, List.of(eight, FixedPointFormat.signed(4, 0)), 2, 3));
    assertMessage(
        "formats must have codes that fit an int, found UQ32.0 (32 bit)",
        () ->
            TensorCodec.of(Granularity.perTensor(), List.of(FixedPointFormat.unsigned(32, 0)), 2));
  }

  private static void assertMessage(String message, Executable executable) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, executable).getMessage());
  }
}
