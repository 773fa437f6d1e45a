package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class SqnrTest {
  @Test
  void knowsExactDecibels() {
    assertEquals(20, Sqnr.decibels(new float[] {10, 0}, new float[] {9, 0}), 1e-12);
    assertEquals(10, Sqnr.decibels(new float[] {-3, 1}, new float[] {-3, 0}), 1e-12);
    assertEquals(0, Sqnr.decibels(new float[] {2, -5}, new float[2]));
    assertEquals(
        10 * Math.log10(25 / 0.3125),
        Sqnr.decibels(new float[] {3, 4}, new float[] {3.25f, 3.5f}),
        1e-12);
  }

  @Test
  void isInfiniteWhereNothingWasLost() {
    assertEquals(Double.POSITIVE_INFINITY, Sqnr.create().decibels());
    assertEquals(Double.POSITIVE_INFINITY, Sqnr.decibels(new float[] {1, 0}, new float[] {1, 0}));
    assertEquals(Double.NEGATIVE_INFINITY, Sqnr.decibels(new float[] {0}, new float[] {1}));
  }

  @Test
  void combiningPartsEqualsOnePassAndEmptyIsTheIdentity() {
    float[] original = {1, -2, 3.5f, 1e30f};
    float[] quantized = {1.25f, -2, 3, 0.9e30f};
    for (int cut = 0; cut <= original.length; cut++) {
      Sqnr left = Sqnr.create();
      Sqnr right = Sqnr.create();
      for (int i = 0; i < original.length; i++) {
        (i < cut ? left : right).accept(original[i], quantized[i]);
      }
      double combined = left.combine(right).combine(Sqnr.create()).decibels();
      assertEquals(Sqnr.decibels(original, quantized), combined, 1e-12, "cut at " + cut);
    }
  }

  @Test
  void countsWhatIsNotFinite() {
    Sqnr sqnr = Sqnr.create();
    sqnr.accept(Double.NaN, 1);
    sqnr.accept(1, Double.POSITIVE_INFINITY);
    sqnr.accept(10, 9);
    assertEquals(2, sqnr.nonFinite());
    assertEquals(20, sqnr.decibels(), 1e-12);
    assertEquals(4, sqnr.combine(sqnr).nonFinite());
  }

  @Test
  void neitherEndOfFloatIsLost() {
    float[] large = {Float.MAX_VALUE};
    assertEquals(0, Sqnr.decibels(large, new float[1]));
    assertEquals(0, Sqnr.decibels(new float[] {Float.MIN_VALUE}, new float[1]));
    assertEquals(-20 * Math.log10(2), Sqnr.decibels(large, new float[] {-Float.MAX_VALUE}), 1e-12);
  }

  @Test
  void refusesArraysOfTwoLengths() {
    assertEquals(
        "quantized must have as many elements as original, 2, found 1",
        assertThrows(
                IllegalArgumentException.class, () -> Sqnr.decibels(new float[2], new float[1]))
            .getMessage());
  }
}
