package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RoundingTest {
  private static final List<Rounding> DIRECTED =
      List.of(Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.TOWARD_ZERO, Rounding.FLOOR);

  /** Any long of a random number of bits, or one that lies on or beside a tie. */
  private static long value(Random random, int maxBits, int shift) {
    long any = random.nextLong() >> (64 - 1 - random.nextInt(maxBits));
    if (shift < 1 || shift >= maxBits || random.nextBoolean()) {
      return any;
    }
    return (any >> shift << shift) + (1L << (shift - 1)) + random.nextInt(3) - 1;
  }

  /** The definition, in arithmetic without limits. */
  private static BigInteger exact(long value, int bits, Rounding rounding) {
    BigDecimal quotient =
        bits >= 0
            ? new BigDecimal(value).divide(new BigDecimal(BigInteger.ONE.shiftLeft(bits)))
            : new BigDecimal(BigInteger.valueOf(value).shiftLeft(-bits));
    if (rounding == Rounding.HALF_UP) {
      return quotient.add(new BigDecimal("0.5")).setScale(0, RoundingMode.FLOOR).toBigInteger();
    }
    RoundingMode mode =
        rounding == Rounding.HALF_EVEN
            ? RoundingMode.HALF_EVEN
            : rounding == Rounding.FLOOR ? RoundingMode.FLOOR : RoundingMode.DOWN;
    return quotient.setScale(0, mode).toBigInteger();
  }

  @Test
  void shiftsGiveTheExactlyRoundedQuotient() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      int bits = random.nextInt(64);
      long value = value(random, 63, bits);
      for (Rounding rounding : DIRECTED) {
        assertEquals(
            exact(value, bits, rounding).longValueExact(),
            rounding.shiftRight(value, bits),
            () -> rounding + " of " + value + " by " + bits);
      }
    }
  }

  @Test
  void shiftsOfTheExtremesAreExact() {
    for (long value : new long[] {Long.MIN_VALUE, Long.MIN_VALUE + 1, -1, 0, 1, Long.MAX_VALUE}) {
      for (int bits = 0; bits <= 63; bits++) {
        for (Rounding rounding : DIRECTED) {
          assertEquals(
              exact(value, bits, rounding).longValueExact(), rounding.shiftRight(value, bits));
        }
      }
    }
  }

  @Test
  void bothPathsAgreeOnEveryDirectedRounding() {
    Random random = new Random(2);
    for (int i = 0; i < 50_000; i++) {
      int bits = random.nextInt(64);
      long value = value(random, 53, bits);
      double real = Math.scalb((double) value, -bits);
      for (Rounding rounding : DIRECTED) {
        assertEquals(
            rounding.shiftRight(value, bits),
            (long) rounding.round(real),
            () -> rounding + " of " + value + " by " + bits);
      }
    }
  }

  @Test
  void bothPathsAgreeOnStochasticRounding() {
    Random random = new Random(3);
    Rounding shifts = Rounding.stochastic(11);
    Rounding floats = Rounding.stochastic(11);
    for (int i = 0; i < 100_000; i++) {
      int bits = random.nextInt(96) - 32;
      long value = value(random, bits < 0 ? 30 : 53, bits);
      assertEquals(
          shifts.shiftRight(value, bits),
          (long) floats.round(Math.scalb((double) value, -bits)),
          () -> value + " by " + bits);
    }
  }

  @Test
  void goldenTies() {
    double[] ties = {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5};
    double[][] expected = {
      {-2, -2, 0, 0, 2, 2}, {-2, -1, 0, 1, 2, 3}, {-2, -1, 0, 0, 1, 2}, {-3, -2, -1, 0, 1, 2}
    };
    for (int i = 0; i < ties.length; i++) {
      for (int rounding = 0; rounding < expected.length; rounding++) {
        Rounding tested = DIRECTED.get(rounding);
        assertEquals(expected[rounding][i], tested.round(ties[i]) + 0.0, tested + " " + ties[i]);
        assertEquals((long) expected[rounding][i], tested.shiftRight((long) (ties[i] * 2), 1));
      }
    }
    assertEquals(0, Rounding.HALF_UP.round(Math.nextDown(0.5)));
    assertEquals(-1, Rounding.HALF_UP.round(Math.nextDown(-0.5)));
    assertEquals(0x1p52 + 1, Rounding.HALF_UP.round(0x1p52 + 1));
  }

  @Test
  void goldenShiftsOfTheAccumulator() {
    assertEquals(-31, Rounding.HALF_UP.shiftRight(-64317, 11));
    assertEquals(-31, Rounding.HALF_UP.shiftRight(-4029, 7));
  }

  @Test
  void leftShiftsAreExactOrFail() {
    for (Rounding rounding : List.of(Rounding.HALF_EVEN, Rounding.FLOOR, Rounding.stochastic(1))) {
      assertEquals(Long.MIN_VALUE, rounding.shiftRight(-1, -63));
      assertEquals(0, rounding.shiftRight(0, -63));
      assertEquals(3L << 61, rounding.shiftRight(3, -61));
      assertOverflow(rounding, 1, 63);
      assertOverflow(rounding, 3, 62);
      assertOverflow(rounding, -2, 63);
      assertOverflow(rounding, Long.MAX_VALUE, 1);
    }
  }

  private static void assertOverflow(Rounding rounding, long value, int bits) {
    assertEquals(
        "overflow: " + value + " shifted left by " + bits,
        assertThrows(ArithmeticException.class, () -> rounding.shiftRight(value, -bits))
            .getMessage());
  }

  @Test
  void shiftsBeyondSixtyThreeBitsAreRefused() {
    for (Rounding rounding : List.of(Rounding.HALF_UP, Rounding.stochastic(1))) {
      for (int bits : new int[] {-64, 64}) {
        assertEquals(
            "bits must be between -63 and 63, found " + bits,
            assertThrows(IllegalArgumentException.class, () -> rounding.shiftRight(1, bits))
                .getMessage());
      }
    }
  }

  @Test
  void infiniteValuesAndNaNStayAsTheyAre() {
    for (Rounding rounding :
        List.of(
            Rounding.HALF_EVEN,
            Rounding.HALF_UP,
            Rounding.TOWARD_ZERO,
            Rounding.FLOOR,
            Rounding.stochastic(1))) {
      for (double value :
          new double[] {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, Double.NaN}) {
        assertEquals(value, rounding.round(value), rounding::toString);
      }
    }
  }

  @Test
  void stochasticRoundingIsUnbiased() {
    int count = 200_000;
    for (double value : new double[] {-3.9, -0.001, 0.25, 0.5, 7.75}) {
      Rounding rounding = Rounding.stochastic(5);
      double sum = 0;
      for (int i = 0; i < count; i++) {
        double code = rounding.round(value);
        assertTrue(code == Math.floor(value) || code == Math.ceil(value));
        sum += code;
      }
      double fraction = value - Math.floor(value);
      double deviation = Math.sqrt(fraction * (1 - fraction) / count);
      assertEquals(value, sum / count, 4 * deviation);
    }
  }

  @Test
  void aSeedFixesTheStreamAndAnotherSeedGivesAnother() {
    assertEquals(stream(42), stream(42));
    assertTrue(!stream(42).equals(stream(43)));
  }

  private static String stream(long seed) {
    Rounding rounding = Rounding.stochastic(seed);
    StringBuilder codes = new StringBuilder();
    for (int i = 0; i < 64; i++) {
      codes.append((int) rounding.round(0.5));
    }
    return codes.toString();
  }

  @Test
  void integersStayAsTheyAreUnderStochasticRounding() {
    Rounding rounding = Rounding.stochastic(9);
    for (int i = -1000; i < 1000; i++) {
      assertEquals(i, rounding.round(i));
      assertEquals(i, rounding.shiftRight((long) i << 40, 40));
    }
  }
}
