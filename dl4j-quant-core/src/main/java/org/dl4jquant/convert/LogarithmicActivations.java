package org.dl4jquant.convert;

import org.dl4jquant.format.GridLevels;
import org.dl4jquant.internal.Checks;

/**
 * Logarithmic levels of maximal weighted entropy in place of uniform steps for what a ReLU gives
 * (method G): zero and {@code 2^bits - 1} powers of two at equal distances, for the bits that the
 * plan gives the layer's activations.
 *
 * <p>They are for the values of functions that do nothing but limit their argument to 0 from below,
 * and perhaps from above: ReLU and ReLU6, not a leaky ReLU or a sigmoid. A concatenation of such
 * values alone shares its levels with all of them. All other values keep their uniform formats, as
 * do those in which no level fits: all zero, or spread over too few octaves for so many levels. The
 * model's provenance names the latter.
 *
 * <p>The levels are moved to the nearest numbers of a fixed-point grid, so that integers compute
 * with them, see {@link GridLevels}: memory needs {@code bits} per value, products take codes of
 * the grid. One value has one format, whatever the alignment, and its channels trade no powers of
 * two. Immutable and thread-safe.
 *
 * @param gridBits of the codes of the grid, 8 to 16
 */
public record LogarithmicActivations(int gridBits) {
  /** On grids of 8 bits, which the integer kernels of runtimes take. */
  public static final LogarithmicActivations DEFAULT = new LogarithmicActivations(8);

  public LogarithmicActivations {
    Checks.inRange("gridBits", gridBits, GridLevels.MIN_GRID_BITS, GridLevels.MAX_GRID_BITS);
  }
}
