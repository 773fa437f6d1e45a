package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/**
 * An unsigned logarithmic format: code 0 is zero, code {@code c >= 1} is {@code 2^((offset + (c -
 * 1) * 2 * halfStep) / 16)} (publication US20180341857A1 and its authors' paper of CVPR 2017).
 *
 * <p>A value gets the nearest level in the log domain, halves upwards, which is why the step is an
 * even number of sixteenths: the border between two levels is then itself a multiple of a sixteenth
 * and equals a bin edge of the histogram from which formats are chosen. Values below the lowest
 * level's half step, and all that are not positive, become zero. The rounding argument of {@code
 * quantize} is ignored.
 *
 * <p>Levels are floats: the float nearest to the double that {@link SixteenthOctaves} gives, so
 * every machine has the same ones.
 *
 * @param levels how many numbers are represented, zero included; 2 to 65536
 * @param offset 16 times the base-2 logarithm of the lowest positive level
 * @param halfStep half the distance of two levels in sixteenths of an octave; at least 1
 */
public record LogFormat(int levels, int offset, int halfStep) implements NumberFormat {
  /** The largest number of levels. */
  public static final int MAX_LEVELS = 1 << 16;

  private static final int MIN_INDEX = 16 * Float.MIN_EXPONENT;
  private static final int MAX_INDEX = 16 * (Float.MAX_EXPONENT + 1) - 1;

  public LogFormat {
    Checks.inRange("levels", levels, 2, MAX_LEVELS);
    Checks.inRange("halfStep", halfStep, 1, MAX_INDEX);
    Checks.inRange("offset", offset, MIN_INDEX, MAX_INDEX);
    long top = offset + 2L * halfStep * (levels - 2);
    Checks.that(
        top <= MAX_INDEX,
        "levels",
        "keep the top level 2^(" + top + "/16) within the floats",
        levels);
  }

  /** Returns the distance of two levels in sixteenths of an octave. */
  public int step() {
    return 2 * halfStep;
  }

  @Override
  public int bitWidth() {
    return Codebook.bitWidthOf(levels);
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
    return levels - 1L;
  }

  @Override
  public long quantize(double value, Rounding rounding) {
    if (Double.isNaN(value)) {
      throw Checks.violated("value", "be a number", value);
    }
    if (value <= 0) {
      return 0;
    }
    if (Double.isInfinite(value)) {
      return maxCode();
    }
    int aboveLowest = SixteenthOctaves.floorIndex(value) - offset + halfStep;
    return aboveLowest < 0 ? 0 : Math.min(maxCode(), aboveLowest / step() + 1L);
  }

  @Override
  public double dequantize(long code) {
    return code <= 0 ? 0 : (float) SixteenthOctaves.value(offset + ((int) code - 1) * step());
  }
}
