package org.dl4jquant.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Random;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class QuantizedTensorTest {
  private static final Granularity WHOLE = Granularity.perTensor();
  private static final List<FixedPointFormat> THREE_BITS = List.of(FixedPointFormat.signed(3, 1));

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static void assertMessage(String message, Executable executable) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, executable).getMessage());
  }

  @Test
  void goldenTensorWithAFormatPerChannel() {
    QuantizedTensor tensor =
        QuantizedTensor.quantize(
            Tensor.of(new float[] {0.4f, -0.1f, 1.5f, -9}, 2, 2),
            Granularity.perChannel(0),
            List.of(FixedPointFormat.signed(8, 8), FixedPointFormat.signed(8, 6)),
            Rounding.HALF_EVEN);
    assertArrayEquals(new int[] {102, -26, 96, -128}, tensor.codes());
    assertArrayEquals(bytes(102, -26, 96, -128), tensor.packed());
    assertArrayEquals(new float[] {102 / 256f, -26 / 256f, 1.5f, -2}, tensor.dequantize().values());
    assertArrayEquals(new int[] {2, 2}, tensor.dequantize().shape());
    assertEquals("QuantizedTensor[2, 2], 8 bit, per channel of axis 0", tensor.toString());
  }

  @Test
  void everyWidthSurvivesPacking() {
    Random random = new Random(1);
    for (int bitWidth = 2; bitWidth <= 32; bitWidth++) {
      for (int length : new int[] {0, 1, 2, 7, 8, 33, 100 + random.nextInt(100)}) {
        assertSurvivesPacking(FixedPointFormat.signed(bitWidth, 3), length, random);
        assertSurvivesPacking(
            FixedPointFormat.signed(bitWidth, 3).withNarrowRange(), length, random);
        assertSurvivesPacking(new AffineParameters(bitWidth, 0.1f, 1, true), length, random);
        if (bitWidth < 32) {
          assertSurvivesPacking(FixedPointFormat.unsigned(bitWidth, 3), length, random);
        }
      }
    }
  }

  private static void assertSurvivesPacking(NumberFormat format, int length, Random random) {
    int[] codes = new int[length];
    for (int i = 0; i < length; i++) {
      codes[i] =
          (int)
              switch (random.nextInt(4)) {
                case 0 -> format.minCode();
                case 1 -> format.maxCode();
                default -> random.nextLong(format.minCode(), format.maxCode() + 1);
              };
    }
    QuantizedTensor tensor = QuantizedTensor.of(codes, WHOLE, List.of(format), length);
    assertArrayEquals(codes, tensor.codes());
    for (int i = 0; i < length; i++) {
      assertEquals(codes[i], tensor.code(i));
    }
    QuantizedTensor read =
        QuantizedTensor.fromPacked(tensor.packed(), WHOLE, List.of(format), length);
    assertEquals(tensor, read);
    assertEquals(tensor.hashCode(), read.hashCode());
    assertArrayEquals(codes, read.codes());
    assertEquals(tensor.packedLength(), tensor.packed().length);
    if (format.bitWidth() <= 24) {
      assertEquals(
          tensor,
          QuantizedTensor.quantize(
              tensor.dequantize(), WHOLE, List.of(format), Rounding.HALF_EVEN));
    }
  }

  @Test
  void packedBytesOfAnotherLengthAreRefused() {
    for (int length : new int[] {0, 1, 3}) {
      assertMessage(
          "packed must have 2 bytes for shape [3] at 3 bits, found " + length,
          () -> QuantizedTensor.fromPacked(new byte[length], WHOLE, THREE_BITS, 3));
    }
    assertMessage(
        "packed must have 0 bytes for shape [0] at 3 bits, found 1",
        () -> QuantizedTensor.fromPacked(new byte[1], WHOLE, THREE_BITS, 0));
    assertMessage(
        "packed must have 8 bytes for shape [2, 1] at 17 bits, found 5",
        () ->
            QuantizedTensor.fromPacked(
                new byte[5], WHOLE, List.of(FixedPointFormat.signed(17, 0)), 2, 1));
  }

  @Test
  void packedBytesWithBitsAfterTheLastCodeAreRefused() {
    assertArrayEquals(
        new int[] {-1, -1, -1},
        QuantizedTensor.fromPacked(bytes(0xff, 0x01), WHOLE, THREE_BITS, 3).codes());
    assertMessage(
        "packed must end with zero bits after the last code, found a last byte of 129",
        () -> QuantizedTensor.fromPacked(bytes(0xff, 0x81), WHOLE, THREE_BITS, 3));
    assertMessage(
        "packed must end with zero bits after the last code, found a last byte of 3",
        () -> QuantizedTensor.fromPacked(bytes(0xff, 0x03), WHOLE, THREE_BITS, 3));
  }

  @Test
  void packedCodesThatAreNoneAreRefused() {
    assertMessage(
        "codes must be between -127 and 127, found -128 at index 1",
        () ->
            QuantizedTensor.fromPacked(
                bytes(0, 0x80),
                WHOLE,
                List.of(FixedPointFormat.signed(8, 0).withNarrowRange()),
                2));
    assertMessage(
        "codes must be between -65536 and 65535, found 65536 at index 0",
        () ->
            QuantizedTensor.fromPacked(
                bytes(0, 0, 1, 0), WHOLE, List.of(FixedPointFormat.signed(17, 0)), 1));
    assertMessage(
        "codes must be between 0 and 2147483647, found -1 at index 0",
        () ->
            QuantizedTensor.fromPacked(
                bytes(-1, -1, -1, -1), WHOLE, List.of(FixedPointFormat.unsigned(31, 0)), 1));
  }

  @Test
  void codesAreCheckedAgainstTheFormatOfTheirChannel() {
    FixedPointFormat full = FixedPointFormat.signed(8, 0);
    List<FixedPointFormat> formats = List.of(full, full.withNarrowRange());
    Granularity columns = Granularity.perChannel(1);
    assertArrayEquals(
        new int[] {-128, -127},
        QuantizedTensor.of(new int[] {-128, -127}, columns, formats, 1, 2).codes());
    assertMessage(
        "codes must be between -127 and 127, found -128 at index 3",
        () -> QuantizedTensor.of(new int[] {-128, 0, 0, -128}, columns, formats, 2, 2));
    assertMessage(
        "codes must be between -128 and 127, found 128 at index 2",
        () -> QuantizedTensor.of(new int[] {0, 0, 128, 0}, columns, formats, 2, 2));
    assertMessage(
        "codes must have as many elements as shape [2, 2], found 3",
        () -> QuantizedTensor.of(new int[3], columns, formats, 2, 2));
  }

  @Test
  void arraysHandedInOrOutAreCopies() {
    byte[] packed = bytes(1, 2);
    int[] shape = {2};
    QuantizedTensor tensor =
        QuantizedTensor.fromPacked(packed, WHOLE, List.of(FixedPointFormat.signed(8, 0)), shape);
    packed[0] = 9;
    shape[0] = 1;
    tensor.packed()[1] = 9;
    tensor.shape()[0] = 1;
    tensor.codes()[0] = 9;
    assertArrayEquals(new int[] {1, 2}, tensor.codes());
    assertArrayEquals(new int[] {2}, tensor.shape());
    assertNotSame(tensor.packed(), tensor.packed());
  }

  @Test
  void codesOutsideTheTensorHaveNoIndex() {
    QuantizedTensor tensor = QuantizedTensor.of(new int[3], WHOLE, THREE_BITS, 3);
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.code(3));
    assertThrows(IndexOutOfBoundsException.class, () -> tensor.code(-1));
  }

  @Test
  void tensorsThatDifferInOnePartDiffer() {
    QuantizedTensor tensor = QuantizedTensor.of(new int[4], WHOLE, THREE_BITS, 4);
    assertNotEquals(tensor, QuantizedTensor.of(new int[4], WHOLE, THREE_BITS, 2, 2));
    assertNotEquals(tensor, QuantizedTensor.of(new int[] {0, 0, 0, 1}, WHOLE, THREE_BITS, 4));
    assertNotEquals(
        tensor, QuantizedTensor.of(new int[4], WHOLE, List.of(FixedPointFormat.signed(3, 2)), 4));
    assertNotEquals(
        QuantizedTensor.of(new int[2], WHOLE, THREE_BITS, 1, 2),
        QuantizedTensor.of(new int[2], Granularity.perChannel(0), THREE_BITS, 1, 2));
  }

  @Test
  void aScalarIsATensorOfOneElement() {
    QuantizedTensor scalar = QuantizedTensor.of(new int[] {-4}, WHOLE, THREE_BITS);
    assertArrayEquals(new float[] {-2}, scalar.dequantize().values());
    assertEquals(0, scalar.shape().length);
  }
}
