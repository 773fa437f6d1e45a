package org.dl4jquant.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The layout is written to files: the golden bytes below must never change. */
final class PackedCodesTest {
  private static final int[] LENGTHS = {0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 257};

  private static void assertGolden(String hex, int bitWidth, boolean signed, int... codes) {
    byte[] packed = HexFormat.of().parseHex(hex);
    assertArrayEquals(packed, PackedCodes.pack(codes, bitWidth), bitWidth + " bits");
    int[] unpacked = new int[codes.length];
    PackedCodes.unpack(packed, bitWidth, signed, unpacked);
    assertArrayEquals(codes, unpacked, bitWidth + " bits");
  }

  @Test
  void goldenBytes() {
    assertGolden("", 3, true);
    assertGolden("e4", 2, false, 0, 1, 2, 3);
    assertGolden("4e01", 2, true, -2, -1, 0, 1, 1);
    assertGolden("88c6fa", 3, false, 0, 1, 2, 3, 4, 5, 6, 7);
    assertGolden("1401", 3, true, -4, 2, -4);
    assertGolden("2143f8", 4, true, 1, 2, 3, 4, -8, -1);
    assertGolden("f00f", 4, false, 0, 15, 15);
    assertGolden("f043f801", 5, true, -16, -1, -16, -16, -1);
    assertGolden("80ff007f", 8, true, -128, -1, 0, 127);
    assertGolden("80ff007f", 8, false, 128, 255, 0, 127);
    assertGolden("563412bc0a", 12, false, 0x456, 0x123, 0xabc);
    assertGolden("0080ffff3412", 16, true, -32768, -1, 0x1234);
    assertGolden("0000ffffffffffffffff0000", 17, true, -65536, -1, 65535);
    assertGolden("0000008078563412", 32, true, Integer.MIN_VALUE, 0x12345678);
  }

  /** The documented bit order, with one big integer as the stream. */
  private static byte[] byDefinition(int[] codes, int bitWidth) {
    int width = bitWidth <= 16 ? bitWidth : 32;
    BigInteger stream = BigInteger.ZERO;
    BigInteger mask = BigInteger.ONE.shiftLeft(width).subtract(BigInteger.ONE);
    for (int i = 0; i < codes.length; i++) {
      stream = stream.or(BigInteger.valueOf(codes[i]).and(mask).shiftLeft(i * width));
    }
    byte[] bytes = new byte[(codes.length * width + 7) / 8];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = stream.shiftRight(8 * i).byteValue();
    }
    return bytes;
  }

  private static int[] codes(Random random, int length, int bitWidth, boolean signed) {
    long min = signed ? -(1L << (bitWidth - 1)) : 0;
    long max = min + (1L << bitWidth) - 1;
    int pattern = random.nextInt(5);
    int[] codes = new int[length];
    for (int i = 0; i < length; i++) {
      codes[i] =
          (int)
              switch (pattern) {
                case 0 -> min;
                case 1 -> max;
                case 2 -> i % 2 == 0 ? min : max;
                case 3 -> i == length - 1 ? max : 0;
                default -> random.nextLong(min, max + 1);
              };
    }
    return codes;
  }

  @Test
  void everyWidthFollowsTheDefinitionAndComesBack() {
    Random random = new Random(1);
    for (int bitWidth = 2; bitWidth <= 32; bitWidth++) {
      for (boolean signed : new boolean[] {true, false}) {
        if (bitWidth == 32 && !signed) {
          continue;
        }
        for (int trial = 0; trial < 6 * LENGTHS.length; trial++) {
          int[] codes = codes(random, LENGTHS[trial % LENGTHS.length], bitWidth, signed);
          String what = bitWidth + " bits, " + codes.length + " codes, signed " + signed;
          byte[] packed = PackedCodes.pack(codes, bitWidth);
          assertArrayEquals(byDefinition(codes, bitWidth), packed, what);
          assertEquals(PackedCodes.bytes(codes.length, bitWidth), packed.length, what);
          int[] unpacked = new int[codes.length];
          PackedCodes.unpack(packed, bitWidth, signed, unpacked);
          assertArrayEquals(codes, unpacked, what);
          for (int i = 0; i < codes.length; i++) {
            assertEquals(codes[i], PackedCodes.get(packed, bitWidth, signed, i), what);
          }
          assertTrue(PackedCodes.paddingIsZero(packed, bitWidth, codes.length), what);
        }
      }
    }
  }

  @Test
  void higherBitsOfACodeDoNotReachItsNeighbors() {
    for (int bitWidth = 2; bitWidth <= 16; bitWidth++) {
      int mask = (1 << bitWidth) - 1;
      assertArrayEquals(
          PackedCodes.pack(new int[] {mask, 0, mask, 0}, bitWidth),
          PackedCodes.pack(new int[] {-1, ~mask, -1, ~mask}, bitWidth));
    }
  }

  @Test
  void everyPaddingBitIsSeen() {
    for (int bitWidth = 2; bitWidth <= 15; bitWidth++) {
      for (int count = 1; count <= 9; count++) {
        byte[] packed = PackedCodes.pack(new int[count], bitWidth);
        for (int bit = count * bitWidth; bit < 8 * packed.length; bit++) {
          packed[bit / 8] = (byte) (1 << bit % 8);
          assertFalse(PackedCodes.paddingIsZero(packed, bitWidth, count));
        }
        packed[packed.length - 1] = (byte) (0xff >>> (8 * packed.length - count * bitWidth));
        assertTrue(PackedCodes.paddingIsZero(packed, bitWidth, count));
      }
    }
  }

  @Test
  void sizesBeyondAnArrayAreCounted() {
    assertEquals(8L * Integer.MAX_VALUE / 2, PackedCodes.bytes(Integer.MAX_VALUE, 17));
    assertEquals(1L << 29, PackedCodes.bytes(Integer.MAX_VALUE, 2));
    assertEquals(0, PackedCodes.bytes(0, 13));
  }
}
