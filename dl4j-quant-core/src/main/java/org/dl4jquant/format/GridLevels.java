package org.dl4jquant.format;

import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.internal.Checks;

/**
 * The levels of a logarithmic format on a fixed-point grid, so that integers can multiply by them:
 * each level is the code of the grid nearest to it, ties to even codes.
 *
 * <p>A value becomes a code of the grid first. That code then becomes the level that the
 * logarithmic format picks for the number the code stands for, so that the borders between levels
 * are those of the format, with halves upwards in the log domain. A code that is a level stays one,
 * even where rounding to the grid has carried the level across its border.
 *
 * <p>The finest grid that reaches the top level has it in the upper half of its codes. Levels below
 * half a step are zero, and neighbours that meet are one: with 8 bits those below 2^-8 or 2^-9 of
 * the top are zero, and those an eighth of an octave apart begin to meet at about 2^-4.
 *
 * @param levels of which the top one is within the range of the grid
 * @param grid unsigned, {@value #MIN_GRID_BITS} to {@value #MAX_GRID_BITS} bits
 */
public record GridLevels(LogFormat levels, FixedPointFormat grid) {
  /** The narrowest grid. */
  public static final int MIN_GRID_BITS = 8;

  /** The widest grid; tables over all of its codes stay small. */
  public static final int MAX_GRID_BITS = 16;

  public GridLevels {
    Checks.inRange("bitWidth of grid", grid.bitWidth(), MIN_GRID_BITS, MAX_GRID_BITS);
    Checks.that(!grid.signed(), "grid", "be unsigned", grid);
    Checks.that(
        levels.maxValue() < grid.maxValue() + grid.step() / 2,
        "grid",
        "reach the top level, " + levels.maxValue(),
        grid);
  }

  /**
   * Returns the levels on the finest grid of {@code gridBits} bits that reaches the top one.
   *
   * @throws IllegalArgumentException if {@code gridBits} is none of a grid
   */
  public static GridLevels of(LogFormat levels, int gridBits) {
    double top = levels.maxValue();
    int finest = gridBits - 1 - Math.getExponent(top);
    boolean fits = Math.rint(Math.scalb(top, finest)) < Math.scalb(1.0, gridBits);
    return new GridLevels(levels, FixedPointFormat.unsigned(gridBits, fits ? finest : finest - 1));
  }

  /** Returns, for each code of the grid, the code of the level that it becomes. */
  public ImmutableIntArray table() {
    int[] codes = new int[(int) grid.maxCode() + 1];
    for (int code = 0; code < codes.length; code++) {
      codes[code] = nearest(levels.quantize(grid.dequantize(code)));
    }
    for (long level = 0; level <= levels.maxCode(); level++) {
      codes[nearest(level)] = nearest(level);
    }
    return ImmutableIntArray.copyOf(codes);
  }

  /** Returns the code of the grid that is nearest to a level. */
  private int nearest(long level) {
    return (int) grid.quantize(levels.dequantize(level));
  }

  /** Returns how many different numbers the levels are on the grid, zero included. */
  public int distinct() {
    return (int) table().stream().distinct().count();
  }
}
