package org.dl4jquant.update;

import java.util.OptionalInt;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;

/**
 * Gives the gradients of one tensor the digits of a fixed-point format, as hardware without floats
 * would have them.
 *
 * <p>Without a fractional length each call takes the finest format that covers the largest
 * magnitude of that call (dynamic fixed point). With one, gradients outside its range go to its
 * end: method D's tuning, if it is that of the residual (US20200012936A1). Immutable.
 *
 * @param bitWidth 2 to 24, so that a float carries every code
 * @param fractionalLength of every call; empty to choose it from the values
 * @param tuning what becomes of the part below the last digit
 */
public record GradientPrecision(int bitWidth, OptionalInt fractionalLength, Tuning tuning) {
  public GradientPrecision {
    Checks.inRange("bitWidth", bitWidth, 2, UpdateRule.MAX_BIT_WIDTH);
    fractionalLength.ifPresent(
        length ->
            Checks.inRange(
                "fractionalLength",
                length,
                FixedPointFormat.MIN_FRACTIONAL_LENGTH,
                FixedPointFormat.MAX_FRACTIONAL_LENGTH));
  }

  /** Returns dynamic fixed point, to the nearest digit. */
  public static GradientPrecision dynamic(int bitWidth) {
    return new GradientPrecision(bitWidth, OptionalInt.empty(), Tuning.ROUND);
  }

  /** Returns this precision with a format that never changes. */
  public GradientPrecision withFractionalLength(int length) {
    return new GradientPrecision(bitWidth, OptionalInt.of(length), tuning);
  }

  /** Returns this precision with another way to drop digits. */
  public GradientPrecision withTuning(Tuning other) {
    return new GradientPrecision(bitWidth, fractionalLength, other);
  }

  /**
   * Overwrites the values with those that the format holds. Values that are not finite stay as they
   * are, so that what follows can refuse them, and do not count for the format.
   */
  public GradientStatistics round(ValueBuffer values) {
    double[] block = new double[Math.min(UpdateKernel.BLOCK, values.length())];
    double largest = fractionalLength.isPresent() ? 0 : largest(values, block);
    if (fractionalLength.isEmpty() && largest == 0) {
      return new GradientStatistics(values.length(), 0, 0, nonFinite(values, block));
    }
    FixedPointFormat format =
        fractionalLength.isPresent()
            ? FixedPointFormat.signed(bitWidth, fractionalLength.getAsInt())
            : FixedPointFormat.covering(largest, bitWidth);
    double scale = format.scale();
    long lost = 0;
    long saturated = 0;
    long skipped = 0;
    for (int from = 0; from < values.length(); from += block.length) {
      int count = Math.min(block.length, values.length() - from);
      values.read(from, count, block);
      for (int i = 0; i < count; i++) {
        if (!Double.isFinite(block[i])) {
          skipped++;
          continue;
        }
        long digits = tuning.digits(block[i] / scale);
        long code = format.saturate(digits);
        saturated += code == digits ? 0 : 1;
        lost += code == 0 && block[i] != 0 ? 1 : 0;
        block[i] = code * scale;
      }
      values.write(from, count, block);
    }
    return new GradientStatistics(values.length(), lost, saturated, skipped);
  }

  private static double largest(ValueBuffer values, double[] block) {
    double largest = 0;
    for (int from = 0; from < values.length(); from += block.length) {
      int count = Math.min(block.length, values.length() - from);
      values.read(from, count, block);
      for (int i = 0; i < count; i++) {
        double magnitude = Math.abs(block[i]);
        largest = magnitude > largest && magnitude <= Double.MAX_VALUE ? magnitude : largest;
      }
    }
    return largest;
  }

  private static long nonFinite(ValueBuffer values, double[] block) {
    long found = 0;
    for (int from = 0; from < values.length(); from += block.length) {
      int count = Math.min(block.length, values.length() - from);
      values.read(from, count, block);
      for (int i = 0; i < count; i++) {
        found += Double.isFinite(block[i]) ? 0 : 1;
      }
    }
    return found;
  }
}
