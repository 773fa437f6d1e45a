package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ScalarFunction;
import org.junit.jupiter.api.Test;

final class RequantizationTest {
  private static int code(long sum, int from, FixedPointFormat to, Rounding rounding, int bits) {
    Requantization one =
        new ShiftRequantization(
            ImmutableIntArray.of(from),
            ImmutableList.of(to),
            ScalarFunction.identity(),
            rounding,
            bits);
    int[] codes = new int[1];
    one.channel(0, new long[] {sum}, codes, 0, 1);
    if ((int) sum == sum) {
      int[] again = {(int) sum};
      one.channel(0, again, again, 0, 1);
      assertArrayEquals(codes, again);
      int[] feature = {(int) sum};
      one.features(feature, feature, 0, 1);
      assertArrayEquals(codes, feature);
    }
    return codes[0];
  }

  @Test
  void tiesGoToTheEvenCodeOrUp() {
    FixedPointFormat to = FixedPointFormat.signed(8, 0);
    int[] sums = {-5, -3, -1, 1, 3, 5};
    int[] even = {-2, -2, 0, 0, 2, 2};
    int[] up = {-2, -1, 0, 1, 2, 3};
    for (int i = 0; i < sums.length; i++) {
      for (int bits : new int[] {8, 32}) {
        assertEquals(even[i], code(sums[i], 1, to, Rounding.HALF_EVEN, bits));
        assertEquals(up[i], code(sums[i], 1, to, Rounding.HALF_UP, bits));
      }
    }
  }

  @Test
  void equalsTheRoundingOfTheFormats() {
    Random random = new Random(1);
    for (int i = 0; i < 200_000; i++) {
      Rounding rounding = i % 2 == 0 ? Rounding.HALF_EVEN : Rounding.HALF_UP;
      long sum = random.nextLong() >> (2 + random.nextInt(61));
      int shift = random.nextInt(62);
      long expected = rounding.shiftRight(sum, shift);
      assertEquals(expected, ExactRounding.of(rounding).shiftRight(sum, shift));
      FixedPointFormat to = new FixedPointFormat(8, 0, i % 3 != 0, false);
      assertEquals(to.saturate(expected), code(sum, shift, to, rounding, 63));
      if (Math.abs(sum) < 1L << 30) {
        assertEquals(to.saturate(expected), code(sum, shift, to, rounding, 31));
      }
    }
  }

  @Test
  void shiftsLeftAndSaturates() {
    FixedPointFormat to = FixedPointFormat.signed(8, 4);
    assertEquals(48, code(3, 0, to, Rounding.HALF_EVEN, 31));
    assertEquals(-128, code(-9, 0, to, Rounding.HALF_EVEN, 31));
    assertEquals(127, code(1, -64, to, Rounding.HALF_EVEN, 31));
    assertEquals(-128, code(-1L << 60, -64, to, Rounding.HALF_EVEN, 63));
    assertEquals(0, code(0, -64, to, Rounding.HALF_EVEN, 31));
    assertEquals(0, code((1L << 62) - 1, 64 + 4, to, Rounding.HALF_UP, 63));
    assertEquals(0, code(-5, 0, FixedPointFormat.unsigned(8, 4), Rounding.HALF_UP, 31));
  }

  @Test
  void clippingOnlyNarrowsTheSaturation() {
    Requantization six =
        new ShiftRequantization(
            ImmutableIntArray.of(8, 8),
            ImmutableList.of(FixedPointFormat.signed(8, 4), FixedPointFormat.unsigned(8, 4)),
            ScalarFunction.relu6(),
            Rounding.HALF_EVEN,
            20);
    int[] codes = {-300, -300, 1800, 1500};
    six.channel(0, codes, codes, 0, 1);
    six.channel(1, codes, codes, 1, 2);
    assertArrayEquals(new int[] {0, 0, 1800, 1500}, codes);
    six.channel(0, codes, codes, 2, 3);
    six.channel(1, codes, codes, 3, 4);
    assertArrayEquals(new int[] {0, 0, 96, 94}, codes);
    int[] features = {1800, 1500};
    six.features(features, features, 0, 2);
    assertArrayEquals(new int[] {96, 94}, features);
  }

  @Test
  void meansAreExactQuotientsRoundedOnce() {
    Random random = new Random(2);
    for (int i = 0; i < 100_000; i++) {
      int count = 1 + random.nextInt(i % 5 == 0 ? 1 << 22 : 50);
      int from = random.nextInt(80) - 40;
      FixedPointFormat to = new FixedPointFormat(8, random.nextInt(12) - 2 + from, true, false);
      to = i % 7 == 0 ? to.withFractionalLength(random.nextInt(128) - 64) : to;
      long sum = (long) (random.nextGaussian() * 40 * count);
      Quotient quotient =
          Quotient.of(
              ImmutableList.of(FixedPointFormat.signed(16, from)),
              ImmutableList.of(to),
              Rounding.HALF_EVEN);
      BigDecimal scale = new BigDecimal(2).pow(Math.abs(to.fractionalLength() - from));
      BigDecimal numerator = BigDecimal.valueOf(sum);
      BigDecimal denominator = BigDecimal.valueOf(count);
      if (to.fractionalLength() >= from) {
        numerator = numerator.multiply(scale);
      } else {
        denominator = denominator.multiply(scale);
      }
      BigDecimal mean = numerator.divide(denominator, 0, RoundingMode.HALF_EVEN);
      int expected = mean.max(BigDecimal.valueOf(-128)).min(BigDecimal.valueOf(127)).intValue();
      assertEquals(expected, quotient.code(sum, count, 0), sum + "/" + count);
    }
    assertEquals(
        2,
        Quotient.of(
                ImmutableList.of(FixedPointFormat.signed(8, 0)),
                ImmutableList.of(FixedPointFormat.signed(8, 0)),
                Rounding.HALF_EVEN)
            .code(3, 2, 0));
  }

  @Test
  void sumsOfAllPositionsAreRoundedAndSaturated() {
    for (int to : List.of(-3, 0, 2, 30)) {
      FixedPointFormat format = FixedPointFormat.signed(16, to);
      Quotient quotient =
          Quotient.of(
              ImmutableList.of(FixedPointFormat.signed(8, 0)),
              ImmutableList.of(format),
              Rounding.HALF_EVEN);
      for (long sum : new long[] {0, 4, -12, 20, 1L << 40, -1L << 40}) {
        assertEquals(format.quantize((double) sum), quotient.code(sum, 0), to + " " + sum);
      }
    }
  }
}
