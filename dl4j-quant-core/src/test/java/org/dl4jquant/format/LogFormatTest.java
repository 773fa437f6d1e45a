package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LogFormatTest {
  @Test
  void levelsArePowersOfTwoInSixteenthSteps() {
    LogFormat format = new LogFormat(4, 15, 16);
    assertEquals(0, format.dequantize(0));
    assertEquals(1.9152066f, format.dequantize(1));
    assertEquals(4 * 1.9152066f, format.dequantize(2));
    assertEquals(16 * 1.9152066f, format.maxValue());
    assertEquals(32, format.step());
    assertEquals(2, format.bitWidth());
    assertEquals(3, format.maxCode());
    assertTrue(!format.signed());
  }

  @Test
  void halvesOfTheLogDomainGoUp() {
    LogFormat octaves = new LogFormat(4, 0, 8);
    double half = Math.sqrt(2);
    assertEquals(1, octaves.quantize(Math.nextDown(half)));
    assertEquals(2, octaves.quantize(half));
    assertEquals(0, octaves.quantize(Math.nextDown(half / 2)));
    assertEquals(1, octaves.quantize(half / 2));
    assertEquals(3, octaves.quantize(1e30));
  }

  @Test
  void agreesWithTheFormulaAwayFromTies() {
    Random random = new Random(3);
    for (int i = 0; i < 20_000; i++) {
      LogFormat format =
          new LogFormat(2 + random.nextInt(30), random.nextInt(200) - 150, 1 + random.nextInt(16));
      double value = Math.exp(random.nextGaussian() * 3);
      double position = (16 * Math.log(value) / Math.log(2) - format.offset()) / format.step();
      double k = Math.min(format.levels() - 2, Math.floor(position + 0.5));
      boolean tie = Math.abs(position + 0.5 - Math.rint(position + 0.5)) < 1e-9;
      if (!tie) {
        assertEquals(k < 0 ? 0 : (long) k + 1, format.quantize(value));
      }
    }
  }

  @Test
  void quantizeIsMonotoneAndUndoneByDequantize() {
    Random random = new Random(4);
    for (int round = 0; round < 500; round++) {
      int levels = 2 + random.nextInt(62);
      LogFormat format = new LogFormat(levels, random.nextInt(1600) - 1600, 1 + random.nextInt(16));
      for (long code = 0; code < levels; code++) {
        double value = format.dequantize(code);
        assertEquals((float) value, value);
        assertEquals(code, format.quantize(value, Rounding.FLOOR));
      }
      double[] values =
          random.doubles(50, -60, 60).map(x -> Math.scalb(1.3, (int) x)).sorted().toArray();
      long[] codes = Arrays.stream(values).mapToLong(format::quantize).toArray();
      for (int i = 1; i < codes.length; i++) {
        assertTrue(codes[i - 1] <= codes[i]);
      }
    }
  }

  @Test
  void valuesThatAreNotPositiveBecomeZeroAndInfinityTheTop() {
    LogFormat format = new LogFormat(8, -20, 3);
    assertEquals(0, format.quantize(0));
    assertEquals(0, format.quantize(-0.0));
    assertEquals(0, format.quantize(-5));
    assertEquals(0, format.quantize(Double.NEGATIVE_INFINITY));
    assertEquals(0, format.quantize(Double.MIN_VALUE));
    assertEquals(7, format.quantize(Double.MAX_VALUE));
    assertEquals(7, format.quantize(Double.POSITIVE_INFINITY));
  }

  @Test
  void theScaleIsCorrectlyRounded() {
    MathContext context = new MathContext(40);
    BigDecimal root = new BigDecimal(2).sqrt(context).sqrt(context).sqrt(context).sqrt(context);
    for (int i = -32; i < 32; i++) {
      int octave = Math.floorDiv(i, 16);
      BigDecimal exact = root.pow(Math.floorMod(i, 16), context);
      assertEquals(Math.scalb(exact.doubleValue(), octave), SixteenthOctaves.value(i));
    }
  }

  @Test
  void floorIndexIsExactAtEveryEdge() {
    for (int index = -17_000; index <= 16_000; index++) {
      double edge = SixteenthOctaves.value(index);
      if (edge >= Double.MIN_NORMAL) {
        assertEquals(index, SixteenthOctaves.floorIndex(edge));
        assertEquals(index - 1, SixteenthOctaves.floorIndex(Math.nextDown(edge)));
      }
    }
    assertEquals(16 * -1074, SixteenthOctaves.floorIndex(Double.MIN_VALUE));
    assertEquals(16 * 1024 - 1, SixteenthOctaves.floorIndex(Double.MAX_VALUE));
  }

  @Test
  void refusesWhatIsNoFormat() {
    assertMessage("levels must be between 2 and 65536, found 1", () -> new LogFormat(1, 0, 1));
    assertMessage("halfStep must be between 1 and 2047, found 0", () -> new LogFormat(4, 0, 0));
    assertMessage(
        "offset must be between -2016 and 2047, found -2017", () -> new LogFormat(4, -2017, 1));
    assertMessage(
        "levels must keep the top level 2^(2048/16) within the floats, found 3",
        () -> new LogFormat(3, 2046, 1));
    assertMessage(
        "value must be a number, found NaN", () -> new LogFormat(4, 0, 1).quantize(Double.NaN));
    assertMessage("x must be positive and finite, found 0.0", () -> SixteenthOctaves.floorIndex(0));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
