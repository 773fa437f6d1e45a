package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CodebookTest {
  private static final Codebook UNEVEN = book(2, new double[] {-1, 0.25, 2}, -0.5, 2);

  private static Codebook book(int bitWidth, double[] levels, double... boundaries) {
    return new Codebook(
        bitWidth, ImmutableDoubleArray.copyOf(levels), ImmutableDoubleArray.copyOf(boundaries));
  }

  private static Codebook random(Random random, int count) {
    double[] levels =
        random.doubles(count, -3, 3).map(level -> (float) level).sorted().distinct().toArray();
    double[] boundaries = new double[levels.length - 1];
    for (int i = 0; i < boundaries.length; i++) {
      double share = random.nextInt(5) == 0 ? 1 : 0.01 + 0.99 * random.nextDouble();
      boundaries[i] = levels[i] + share * (levels[i + 1] - levels[i]);
    }
    return book(Codebook.bitWidthOf(levels.length), levels, boundaries);
  }

  @Test
  void aValueEqualToABoundaryGetsTheUpperLevel() {
    assertEquals(0, UNEVEN.quantize(Math.nextDown(-0.5)));
    assertEquals(1, UNEVEN.quantize(-0.5));
    assertEquals(1, UNEVEN.quantize(Math.nextDown(2.0)));
    assertEquals(2, UNEVEN.quantize(2));
  }

  @Test
  void valuesOutsideSaturate() {
    assertEquals(0, UNEVEN.quantize(Double.NEGATIVE_INFINITY));
    assertEquals(2, UNEVEN.quantize(Double.POSITIVE_INFINITY));
    assertEquals(-1, UNEVEN.minValue());
    assertEquals(2, UNEVEN.maxValue());
  }

  @Test
  void roundingDoesNotMatter() {
    for (Rounding rounding :
        new Rounding[] {
          Rounding.FLOOR, Rounding.HALF_UP, Rounding.TOWARD_ZERO, Rounding.stochastic(1)
        }) {
      assertEquals(1, UNEVEN.quantize(1.99, rounding));
    }
  }

  @Test
  void boundariesOfPlainLevelsLieInTheMiddle() {
    Codebook plain = Codebook.of(-1, 0, 4);
    assertEquals(ImmutableDoubleArray.of(-0.5, 2), plain.boundaries());
    assertEquals(2, plain.bitWidth());
    assertEquals(0, plain.minCode());
    assertEquals(2, plain.maxCode());
    assertTrue(!plain.signed());
  }

  @Test
  void neighbouringFloatsHaveABoundary() {
    Codebook close = Codebook.of(Float.MIN_VALUE, 2 * Float.MIN_VALUE, 1, Math.nextUp(1f));
    for (long code = 0; code <= close.maxCode(); code++) {
      assertEquals(code, close.quantize(close.dequantize(code)));
    }
    Codebook widest = Codebook.of(-Float.MAX_VALUE, Float.MAX_VALUE);
    assertEquals(0, widest.boundaries().get(0));
  }

  @Test
  void bitWidthIsTheLogarithmRoundedUp() {
    int[] levels = {1, 2, 3, 4, 5, 8, 9, 256, 257, 65536};
    int[] widths = {1, 1, 2, 2, 3, 3, 4, 8, 9, 16};
    assertArrayEquals(widths, Arrays.stream(levels).map(Codebook::bitWidthOf).toArray());
  }

  @Test
  void quantizeIsMonotoneAndUndoneByDequantize() {
    Random random = new Random(11);
    for (int round = 0; round < 200; round++) {
      Codebook book = random(random, 2 + random.nextInt(40));
      for (long code = book.minCode(); code <= book.maxCode(); code++) {
        assertEquals(code, book.quantize(book.dequantize(code)));
        assertEquals(book.dequantize(code), book.fakeQuantize(book.dequantize(code)));
      }
      double[] values = random.doubles(100, -4, 4).sorted().toArray();
      long[] codes = Arrays.stream(values).mapToLong(book::quantize).toArray();
      for (int i = 1; i < codes.length; i++) {
        assertTrue(codes[i - 1] <= codes[i]);
      }
    }
  }

  @Test
  void equalContentsAreEqual() {
    assertEquals(UNEVEN, book(2, new double[] {-1, 0.25, 2}, -0.5, 2));
    assertEquals(UNEVEN.hashCode(), book(2, new double[] {-1, 0.25, 2}, -0.5, 2).hashCode());
    assertNotEquals(UNEVEN, book(2, new double[] {-1, 0.25, 2}, -0.5, 1.5));
    assertNotEquals(UNEVEN, UNEVEN.withBitWidth(3));
    assertEquals(Codebook.of(-1, 0.0), Codebook.of(-1, -0.0));
  }

  @Test
  void snappedLevelsLieOnTheGridAndBoundariesStay() {
    FixedPointFormat grid = FixedPointFormat.signed(8, 3);
    assertEquals(
        book(2, new double[] {-1, 0.25, 2.125}, -0.5, 2),
        book(2, new double[] {-0.97f, 0.27f, 2.1f}, -0.5, 2).snappedTo(grid));
  }

  @Test
  void levelsThatMeetOnTheGridBecomeOne() {
    Codebook symmetric = book(2, new double[] {-1, -0.1f, 0.1f, 1}, -0.7, 0, 0.7);
    Codebook snapped = symmetric.snappedTo(FixedPointFormat.signed(4, 1));
    assertEquals(book(2, new double[] {-1, 0, 1}, -0.7, 0.7), snapped);
    assertEquals(2, snapped.bitWidth());
  }

  @Test
  void snappingSaturatesAndRepairsBoundaries() {
    Codebook wide = book(3, new double[] {-9, 0.4f, 0.6f, 9}, -8, 0.45f, 5);
    assertEquals(
        book(3, new double[] {-4, 0, 1, 3}, -2, 0.45f, 2),
        wide.snappedTo(FixedPointFormat.signed(3, 0)));
    assertEquals(
        book(1, new double[] {0}),
        Codebook.of(-0.1f, 0.1f).snappedTo(FixedPointFormat.signed(8, 0)));
  }

  @Test
  void snappingKeepsTheLaws() {
    Random random = new Random(12);
    for (int round = 0; round < 300; round++) {
      FixedPointFormat grid = FixedPointFormat.signed(2 + random.nextInt(8), random.nextInt(6) - 1);
      Codebook snapped = random(random, 2 + random.nextInt(30)).snappedTo(grid);
      for (long code = 0; code <= snapped.maxCode(); code++) {
        double level = snapped.dequantize(code);
        assertEquals(level, grid.fakeQuantize(level));
        assertEquals(code, snapped.quantize(level));
      }
    }
  }

  @Test
  void scalingMovesLevelsAndBoundaries() {
    assertEquals(book(2, new double[] {-2, 0.5, 4}, -1, 4), UNEVEN.scaled(2));
    assertEquals(book(2, new double[] {0}), UNEVEN.scaled(0));
    Codebook saturated = UNEVEN.scaled(1e39);
    assertEquals(Float.MAX_VALUE, saturated.maxValue());
    assertEquals(-Float.MAX_VALUE, saturated.minValue());
    assertEquals(book(2, new double[] {0}), UNEVEN.scaled(1e-60));
  }

  @Test
  void refusesWhatIsNotACodebook() {
    assertMessage(
        "levels must be strictly increasing, found 1.0 before 1.0 at index 1",
        () -> Codebook.of(1, 1));
    assertMessage("levels must have at least one element, found []", Codebook::of);
    assertMessage(
        "levels must be finite and representable as float, found 0.1 at index 0",
        () -> Codebook.of(0.1));
    assertMessage(
        "levels must be finite and representable as float, found Infinity at index 1",
        () -> book(1, new double[] {0, Double.POSITIVE_INFINITY}, 1));
    assertMessage(
        "boundaries must lie above 0.0 and not above 1.0, found 0.0 at index 0",
        () -> book(1, new double[] {0, 1}, 0));
    assertMessage(
        "boundaries must lie above 0.0 and not above 1.0, found NaN at index 0",
        () -> book(1, new double[] {0, 1}, Double.NaN));
    assertMessage(
        "boundaries must number one less than the 2 levels, found 0",
        () -> book(1, new double[] {0, 1}));
    assertMessage("bitWidth must be between 2 and 16, found 1", () -> UNEVEN.withBitWidth(1));
    assertMessage("value must be a number, found NaN", () -> UNEVEN.quantize(Double.NaN));
    assertMessage(
        "grid must have at most 24 bits, found " + FixedPointFormat.signed(25, 0),
        () -> UNEVEN.snappedTo(FixedPointFormat.signed(25, 0)));
    assertMessage("factor must be finite and not negative, found -1.0", () -> UNEVEN.scaled(-1));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
