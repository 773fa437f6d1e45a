package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class FixedPointFormatTest extends NumberFormatContract {
  @Override
  Stream<FixedPointFormat> formats() {
    return IntStream.rangeClosed(2, 32)
        .boxed()
        .flatMap(
            width ->
                IntStream.of(-126, -64, -17, -1, 0, 1, 7, 31, 33, 64, 126)
                    .boxed()
                    .flatMap(
                        length ->
                            Stream.of(
                                FixedPointFormat.signed(width, length),
                                FixedPointFormat.signed(width, length).withNarrowRange(),
                                FixedPointFormat.unsigned(width, length))));
  }

  @Override
  List<Rounding> exactRoundings() {
    return List.of(
        Rounding.HALF_EVEN,
        Rounding.HALF_UP,
        Rounding.TOWARD_ZERO,
        Rounding.FLOOR,
        Rounding.stochastic(7));
  }

  @Test
  void aStepIsAnExactPowerOfTwoAtEveryFractionalLength() {
    for (int length = -126; length <= 126; length++) {
      FixedPointFormat format = FixedPointFormat.signed(8, length);
      assertEquals(Math.pow(2, -length), format.scale());
      assertEquals(-128 * Math.pow(2, -length), format.minValue());
      assertEquals(127 * Math.pow(2, -length), format.maxValue());
      assertEquals(3, format.quantize(3 * Math.pow(2, -length)));
    }
  }

  @Test
  void goldenCodesAtEightBits() {
    assertEquals(102, FixedPointFormat.signed(8, 8).quantize(0.40));
    assertEquals(96, FixedPointFormat.signed(8, 6).quantize(1.5));
    assertEquals(24, FixedPointFormat.signed(8, 5).quantize(0.75));
    assertEquals(-44, FixedPointFormat.signed(8, 3).quantize(-5.5));
    assertEquals(819, FixedPointFormat.signed(16, 13).quantize(0.1));
    assertEquals(-7.75, FixedPointFormat.signed(8, 2).dequantize(-31));
    assertEquals(127, FixedPointFormat.signed(8, 8).quantize(0.5));
    assertEquals(-128, FixedPointFormat.signed(8, 8).quantize(-0.5));
    assertEquals(-127, FixedPointFormat.signed(8, 8).withNarrowRange().quantize(-0.5));
    assertEquals(0, FixedPointFormat.unsigned(8, 4).quantize(-3));
    assertEquals(255, FixedPointFormat.unsigned(8, 4).quantize(16));
    assertEquals(4294967295L, FixedPointFormat.unsigned(32, 0).quantize(1e10));
  }

  @Test
  void tiesGoWhereTheRoundingSays() {
    FixedPointFormat halves = FixedPointFormat.signed(8, 1);
    double[] ties = {-1.25, -0.75, -0.25, 0.25, 0.75, 1.25};
    long[][] expected = {
      {-2, -2, 0, 0, 2, 2}, {-2, -1, 0, 1, 2, 3}, {-2, -1, 0, 0, 1, 2}, {-3, -2, -1, 0, 1, 2}
    };
    List<Rounding> roundings =
        List.of(Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.TOWARD_ZERO, Rounding.FLOOR);
    for (int rounding = 0; rounding < expected.length; rounding++) {
      for (int i = 0; i < ties.length; i++) {
        assertEquals(
            expected[rounding][i],
            halves.quantize(ties[i], roundings.get(rounding)),
            roundings.get(rounding) + " of " + ties[i]);
      }
    }
  }

  @Test
  void theSmallestNegativeNumberFloorsToMinusOneStep() {
    for (int length : new int[] {-126, -1, 0, 126}) {
      FixedPointFormat format = FixedPointFormat.signed(8, length);
      assertEquals(-1, format.quantize(-Double.MIN_VALUE, Rounding.FLOOR));
      assertEquals(0, format.quantize(Double.MIN_VALUE, Rounding.FLOOR));
      assertEquals(0, format.quantize(-Double.MIN_VALUE, Rounding.TOWARD_ZERO));
    }
  }

  @Test
  void coveringIsTheFinestFormatThatDoesNotClip() {
    assertEquals(FixedPointFormat.signed(8, 8), FixedPointFormat.covering(0.4, 8));
    assertEquals(FixedPointFormat.signed(8, 7), FixedPointFormat.covering(0.5, 8));
    assertEquals(FixedPointFormat.signed(8, 6), FixedPointFormat.covering(1.0, 8));
    assertEquals(FixedPointFormat.signed(8, 6), FixedPointFormat.covering(1.5, 8));
    assertEquals(FixedPointFormat.signed(8, 12), FixedPointFormat.covering(0.03, 8));
    assertEquals(FixedPointFormat.signed(8, 0), FixedPointFormat.covering(127.4, 8));
    assertEquals(FixedPointFormat.signed(8, -1), FixedPointFormat.covering(127.5, 8));
    for (int exponent = -40; exponent <= 60; exponent++) {
      assertEquals(6 - exponent, covering(Math.scalb(1.0, exponent)), "2^" + exponent);
      assertEquals(7 - exponent - 1, covering(Math.scalb(1.9, exponent)), "1.9 * 2^" + exponent);
    }
  }

  private static int covering(double maxAbs) {
    return FixedPointFormat.covering(maxAbs, 8).fractionalLength();
  }

  @Test
  void coveringCarriesTheExtremesAndOneMoreBitWouldNot() {
    Random random = new Random(6);
    for (int i = 0; i < 5000; i++) {
      int width = 2 + random.nextInt(31);
      double maxAbs = Math.scalb(1 + random.nextDouble(), random.nextInt(60) - 30);
      FixedPointFormat format = FixedPointFormat.covering(maxAbs, width);
      double half = format.scale() / 2;
      assertTrue(Math.abs(format.fakeQuantize(maxAbs) - maxAbs) <= half, format + " " + maxAbs);
      assertTrue(Math.abs(format.fakeQuantize(-maxAbs) + maxAbs) <= half, format + " " + maxAbs);
      if (format.fractionalLength() < FixedPointFormat.MAX_FRACTIONAL_LENGTH) {
        double steps = maxAbs / format.scale() * 2;
        assertTrue(Math.rint(steps) > format.maxCode(), "a finer one than " + format);
      }
    }
  }

  @Test
  void coveringStaysWithinTheLimits() {
    assertEquals(126, covering(Double.MIN_VALUE));
    assertEquals(126, covering(0x1p-120));
    assertEquals(125, covering(0x1p-119));
    assertEquals(-126, covering(0x1p132));
    assertEquals(0x1p132, FixedPointFormat.covering(0x1p132, 8).fakeQuantize(0x1p132));
    assertEquals(-126, covering(0x1p133));
    assertEquals(127 * 0x1p126, FixedPointFormat.covering(0x1p133, 8).fakeQuantize(0x1p133));
    assertEquals(-126, covering(Double.MAX_VALUE));
    assertMessage(
        "maxAbs must be positive and finite, found 0.0", () -> FixedPointFormat.covering(0, 8));
    assertMessage(
        "maxAbs must be positive and finite, found NaN",
        () -> FixedPointFormat.covering(Double.NaN, 8));
    assertMessage(
        "bitWidth must be between 2 and 32, found 33", () -> FixedPointFormat.covering(1, 33));
  }

  @Test
  void argumentsOutsideTheLimitsAreRefused() {
    assertMessage(
        "bitWidth must be between 2 and 32, found 1", () -> FixedPointFormat.signed(1, 0));
    assertMessage(
        "fractionalLength must be between -126 and 126, found 127",
        () -> FixedPointFormat.signed(8, 127));
    assertMessage(
        "fractionalLength must be between -126 and 126, found -127",
        () -> FixedPointFormat.signed(8, 0).withFractionalLength(-127));
    assertMessage(
        "narrowRange must be false for an unsigned format, found true",
        () -> FixedPointFormat.unsigned(8, 0).withNarrowRange());
  }

  @Test
  void textNamesBothSidesOfTheBinaryPoint() {
    assertEquals("Q1.6 (8 bit)", FixedPointFormat.signed(8, 6).toString());
    assertEquals("UQ2.6 (8 bit)", FixedPointFormat.unsigned(8, 6).toString());
    assertEquals(
        "Q-5.12 (8 bit, narrow range)",
        FixedPointFormat.signed(8, 12).withNarrowRange().toString());
    assertEquals(-57, FixedPointFormat.signed(8, 64).integerBits());
  }

  private static void assertMessage(
      String message, org.junit.jupiter.api.function.Executable executable) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, executable).getMessage());
  }

  @Test
  void reachingEndsAtTheMagnitudeOrBeyond() {
    double[][] lengths = {{0.4, 8}, {0.5, 8}, {1, 7}, {1.5, 6}, {0.03, 12}, {2, 6}, {2.0000001, 5}};
    for (double[] length : lengths) {
      assertEquals(
          FixedPointFormat.signed(8, (int) length[1]),
          FixedPointFormat.reaching(length[0], 8, true));
      assertEquals(
          FixedPointFormat.unsigned(8, (int) length[1] + 1),
          FixedPointFormat.reaching(length[0], 8, false));
    }
  }

  @Test
  void reachingMissesByAtMostOneStep() {
    Random random = new Random(4);
    for (int i = 0; i < 1000; i++) {
      double magnitude = Math.scalb(1 + random.nextDouble(), random.nextInt(40) - 20);
      for (double maxAbs : new double[] {magnitude, Math.scalb(1.0, Math.getExponent(magnitude))}) {
        FixedPointFormat format = FixedPointFormat.reaching(maxAbs, 4, i % 2 == 0);
        double largest = format.dequantize(format.maxCode());
        assertTrue(maxAbs - largest <= format.scale(), maxAbs + " in " + format);
        assertTrue(maxAbs > largest / 2 - format.scale(), maxAbs + " is too small for " + format);
      }
    }
  }

  @Test
  void reachingStaysWithinTheLimits() {
    assertEquals(126, FixedPointFormat.reaching(1e-40, 8, true).fractionalLength());
    assertEquals(-126, FixedPointFormat.reaching(1e60, 8, true).fractionalLength());
    assertThrows(IllegalArgumentException.class, () -> FixedPointFormat.reaching(0, 8, true));
  }
}
