package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableIntArray;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class GridLevelsTest {
  private static final Random RANDOM = new Random(7);

  private static LogFormat format() {
    int levels = 2 + RANDOM.nextInt(50);
    int halfStep = 1 + RANDOM.nextInt(16);
    int top = RANDOM.nextInt(400) - 200;
    return new LogFormat(levels, top - 2 * halfStep * (levels - 2), halfStep);
  }

  @Test
  void everyCodeBecomesTheLevelOfItsNumber() {
    int carried = 0;
    for (int round = 0; round < 300; round++) {
      LogFormat log = format();
      GridLevels levels = GridLevels.of(log, 8 + round % 9);
      FixedPointFormat grid = levels.grid();
      ImmutableIntArray table = levels.table();
      Set<Integer> own = new HashSet<>();
      for (long level = 0; level < log.levels(); level++) {
        own.add((int) grid.quantize(log.dequantize(level)));
      }
      assertEquals(own.size(), levels.distinct());
      assertEquals(1 << grid.bitWidth(), table.length());
      for (int code = 0; code < table.length(); code++) {
        int exact = (int) grid.quantize(log.fakeQuantize(grid.dequantize(code)));
        if (own.contains(code)) {
          assertEquals(code, table.get(code), "a level stays");
          carried += exact == code ? 0 : 1;
        } else {
          assertEquals(exact, table.get(code), levels + " at " + code);
        }
        assertTrue(code == 0 || table.get(code) >= table.get(code - 1), "monotone");
        assertEquals(table.get(code), table.get(table.get(code)), "idempotent");
      }
    }
    assertTrue(carried > 0 && carried < 60, carried + " levels were carried across a border");
  }

  @Test
  void halvesOfTheLogDomainGoUp() {
    GridLevels levels = GridLevels.of(new LogFormat(3, 0, 16), 8); // 0, 1, 4; borders 1/2 and 2
    assertEquals(FixedPointFormat.unsigned(8, 5), levels.grid());
    ImmutableIntArray table = levels.table();
    assertEquals(0, table.get(15));
    assertEquals(32, table.get(16));
    assertEquals(32, table.get(63));
    assertEquals(128, table.get(64));
    assertEquals(128, table.get(255));
  }

  @Test
  void theGridIsTheFinestThatReachesTheTop() {
    for (int round = 0; round < 1000; round++) {
      LogFormat log = format();
      int bits = 8 + RANDOM.nextInt(9);
      FixedPointFormat grid = GridLevels.of(log, bits).grid();
      double steps = Math.rint(log.maxValue() / grid.step());
      assertTrue(steps <= grid.maxCode() && 2 * steps >= grid.maxCode(), log + " on " + grid);
      FixedPointFormat finer = grid.withFractionalLength(grid.fractionalLength() + 1);
      assertThrows(IllegalArgumentException.class, () -> new GridLevels(log, finer));
    }
  }

  @Test
  void aGridOfEightBitsLosesTheSmallestLevels() {
    GridLevels few = GridLevels.of(new LogFormat(16, -30, 2), 8); // of a normal distribution
    assertEquals(16, few.distinct());
    LogFormat octaves = new LogFormat(16, -13 * 16, 8); // from 2^-13 to 2
    assertEquals(9, GridLevels.of(octaves, 8).distinct(), "zero, and 2^-6 to 2");
    assertEquals(16, GridLevels.of(octaves, 16).distinct());
  }

  @Test
  void whatIsNoGridIsRefused() {
    LogFormat log = new LogFormat(4, 0, 8);
    assertEquals(
        "bitWidth of grid must be between 8 and 16, found 7",
        assertThrows(IllegalArgumentException.class, () -> GridLevels.of(log, 7)).getMessage());
    FixedPointFormat signed = FixedPointFormat.signed(8, 5);
    assertEquals(
        "grid must be unsigned, found " + signed,
        assertThrows(IllegalArgumentException.class, () -> new GridLevels(log, signed))
            .getMessage());
    FixedPointFormat fine = FixedPointFormat.unsigned(8, 7);
    assertEquals(
        "grid must reach the top level, 4.0, found " + fine,
        assertThrows(IllegalArgumentException.class, () -> new GridLevels(log, fine)).getMessage());
  }
}
