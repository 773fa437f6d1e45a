package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class Log2Test {
  /** Where {@code Math.log(2^n) / Math.log(2)} is not n, of -60 to 60; the negatives too. */
  private static final int[] TRAPS = {29, 31, 39, 47, 51, 55, 58, 59};

  @Test
  void theTrapExponentsAreExact() {
    for (int trap : TRAPS) {
      for (int exponent : new int[] {trap, -trap}) {
        double power = Math.scalb(1.0, exponent);
        assertNotEquals(exponent, Math.log(power) / Math.log(2), "no trap: " + exponent);
        assertEquals(exponent, Log2.of(power));
        assertEquals(exponent, Log2.ceil(power));
        assertEquals(exponent, Log2.floor(power));
      }
    }
  }

  @Test
  void everyPowerOfTwoIsExactAndItsNeighborsAreTold() {
    for (int exponent = Double.MIN_EXPONENT - 52; exponent <= Double.MAX_EXPONENT; exponent++) {
      double power = Math.scalb(1.0, exponent);
      assertEquals(exponent, Log2.of(power));
      assertEquals(exponent, Log2.floor(power));
      assertEquals(exponent, Log2.ceil(power));
      assertEquals(exponent + 1, Log2.ceil(Math.nextUp(power)));
      assertEquals(exponent, Log2.floor(Math.nextUp(power)) - (exponent == -1074 ? 1 : 0));
      if (exponent > -1074) {
        assertEquals(exponent - 1, Log2.floor(Math.nextDown(power)));
        assertEquals(exponent == -1073 ? -1074 : exponent, Log2.ceil(Math.nextDown(power)));
      }
    }
  }

  @Test
  void valuesBetweenPowersAreClose() {
    assertEquals(-1.321928094887362, Log2.of(0.4), 1e-15);
    assertEquals(1.584962500721156, Log2.of(3), 1e-15);
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      double exponent = random.nextDouble(-1000, 1000);
      assertEquals(exponent, Log2.of(Math.pow(2, exponent)), 1e-12);
    }
  }

  @Test
  void onlyPositiveFiniteNumbersHaveALogarithm() {
    for (double value : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertEquals(
          "value must be positive and finite, found " + value,
          assertThrows(IllegalArgumentException.class, () -> Log2.of(value)).getMessage());
    }
  }
}
