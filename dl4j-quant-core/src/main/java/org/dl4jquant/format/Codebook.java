package org.dl4jquant.format;

import com.google.common.primitives.ImmutableDoubleArray;
import org.dl4jquant.internal.Checks;

/**
 * An explicit list of representable numbers: code {@code c} is {@code levels[c]}.
 *
 * <p>A value gets the code of the cell in which it lies: {@code quantize(x)} is the number of
 * boundaries that are at most {@code x}. A boundary need not be the middle between its levels, and
 * the rounding argument of {@code quantize} is ignored. Levels are floats, so that a tensor of
 * floats holds them exactly; boundaries are doubles.
 *
 * @param bitWidth bits of a code; 1 to 16, enough for all levels. More than that is possible, so
 *     that the channels of one tensor can have different numbers of levels
 * @param levels finite, exactly representable as float, strictly increasing; at least one
 * @param boundaries one between each pair of neighbouring levels: {@code levels[i] < boundaries[i]
 *     <= levels[i + 1]}
 */
public record Codebook(int bitWidth, ImmutableDoubleArray levels, ImmutableDoubleArray boundaries)
    implements NumberFormat {
  /** The largest bit width. */
  public static final int MAX_BIT_WIDTH = 16;

  /** The widest fixed-point codes that are floats whatever their value. */
  private static final int MAX_GRID_WIDTH = 24;

  public Codebook {
    levels = positiveZeros(levels);
    boundaries = positiveZeros(boundaries);
    Checks.that(!levels.isEmpty(), "levels", "have at least one element", levels);
    Checks.inRange("bitWidth", bitWidth, bitWidthOf(levels.length()), MAX_BIT_WIDTH);
    Checks.that(
        boundaries.length() == levels.length() - 1,
        "boundaries",
        "number one less than the " + levels.length() + " levels",
        boundaries.length());
    for (int i = 0; i < levels.length(); i++) {
      double level = levels.get(i);
      Checks.that(
          Double.isFinite(level) && (float) level == level,
          "levels",
          "be finite and representable as float",
          level + " at index " + i);
      if (i > 0) {
        requireOrder(levels.get(i - 1), boundaries.get(i - 1), level, i);
      }
    }
  }

  private static void requireOrder(double lower, double boundary, double upper, int index) {
    Checks.that(
        lower < upper,
        "levels",
        "be strictly increasing",
        lower + " before " + upper + " at index " + index);
    Checks.that(
        lower < boundary && boundary <= upper,
        "boundaries",
        "lie above " + lower + " and not above " + upper,
        boundary + " at index " + (index - 1));
  }

  /** Returns the codebook of {@code levels} with boundaries in the middle and the fewest bits. */
  public static Codebook of(double... levels) {
    double[] boundaries = new double[Math.max(0, levels.length - 1)];
    for (int i = 0; i < boundaries.length; i++) {
      boundaries[i] = middle(levels[i], levels[i + 1]);
    }
    return new Codebook(
        bitWidthOf(Math.max(1, levels.length)),
        ImmutableDoubleArray.copyOf(levels),
        ImmutableDoubleArray.copyOf(boundaries));
  }

  /** Returns the fewest bits, at least 1, whose codes number {@code levels} or more. */
  public static int bitWidthOf(int levels) {
    Checks.positive("levels", levels);
    return Math.max(1, Integer.SIZE - Integer.numberOfLeadingZeros(levels - 1));
  }

  /** Returns this codebook with codes of another width. */
  public Codebook withBitWidth(int newBitWidth) {
    return new Codebook(newBitWidth, levels, boundaries);
  }

  /** Returns this codebook with each boundary in the middle between its levels. */
  public Codebook toNearest() {
    return of(levels.toArray()).withBitWidth(bitWidth);
  }

  /**
   * Returns this codebook with every level replaced by the number of {@code grid} nearest to it,
   * ties to even codes, saturating; for hardware that multiplies integers.
   *
   * <p>Levels that meet become one, so there may be fewer. Boundaries stay where they are unless a
   * level has crossed its boundary; then the middle takes its place. The bit width stays.
   *
   * @param grid of at most 24 bits, so that its numbers are floats
   */
  public Codebook snappedTo(FixedPointFormat grid) {
    Checks.that(
        grid.bitWidth() <= MAX_GRID_WIDTH,
        "grid",
        "have at most " + MAX_GRID_WIDTH + " bits",
        grid);
    return repaired(bitWidth, levels.stream().map(grid::fakeQuantize).toArray(), boundaries);
  }

  /**
   * Returns this codebook with levels and boundaries multiplied by {@code factor}; levels are
   * rounded to float, those that meet become one, those beyond the floats saturate. A factor of 0
   * leaves the level 0. The bit width stays.
   *
   * @param factor finite and not negative
   */
  public Codebook scaled(double factor) {
    Checks.nonNegativeFinite("factor", factor);
    double max = Float.MAX_VALUE;
    double[] scaled =
        levels.stream()
            .map(level -> (float) Math.max(-max, Math.min(max, level * factor)))
            .toArray();
    return repaired(
        bitWidth,
        scaled,
        ImmutableDoubleArray.copyOf(boundaries.stream().map(boundary -> boundary * factor)));
  }

  /** Merges equal neighbours and moves boundaries that are no longer between their levels. */
  private static Codebook repaired(int bitWidth, double[] levels, ImmutableDoubleArray boundaries) {
    var distinct = ImmutableDoubleArray.builder(levels.length);
    var between = ImmutableDoubleArray.builder(levels.length);
    distinct.add(levels[0]);
    for (int i = 1; i < levels.length; i++) {
      double lower = levels[i - 1];
      double upper = levels[i];
      if (lower < upper) {
        double boundary = boundaries.get(i - 1);
        boolean holds = lower < boundary && boundary <= upper;
        distinct.add(upper);
        between.add(holds ? boundary : middle(lower, upper));
      }
    }
    return new Codebook(bitWidth, distinct.build(), between.build());
  }

  /** Returns the middle of two floats, which a double holds exactly or to half an ulp. */
  private static double middle(double lower, double upper) {
    double middle = lower + (upper - lower) / 2;
    return middle > lower ? middle : upper;
  }

  private static ImmutableDoubleArray positiveZeros(ImmutableDoubleArray values) {
    return ImmutableDoubleArray.copyOf(values.stream().map(value -> value + 0.0));
  }

  @Override
  public boolean signed() {
    return false;
  }

  @Override
  public long minCode() {
    return 0;
  }

  @Override
  public long maxCode() {
    return levels.length() - 1L;
  }

  @Override
  public long quantize(double value, Rounding rounding) {
    if (Double.isNaN(value)) {
      throw Checks.violated("value", "be a number", value);
    }
    int low = 0;
    int high = boundaries.length();
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (boundaries.get(mid) <= value) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low;
  }

  @Override
  public double dequantize(long code) {
    return levels.get((int) code);
  }
}
