package org.dl4jquant.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;

/** Argument checks whose messages read {@code <parameter> must <rule>, found <value>}. */
public final class Checks {
  private Checks() {}

  /** Returns {@code value} if {@code min <= value <= max}. */
  @CanIgnoreReturnValue
  public static int inRange(String parameter, int value, int min, int max) {
    if (value < min || value > max) {
      throw violated(parameter, "be between " + min + " and " + max, value);
    }
    return value;
  }

  /** Returns {@code value} if it is at least 1. */
  @CanIgnoreReturnValue
  public static int positive(String parameter, int value) {
    if (value < 1) {
      throw violated(parameter, "be at least 1", value);
    }
    return value;
  }

  /** Returns {@code value} if it is finite and greater than 0. */
  @CanIgnoreReturnValue
  public static double positiveFinite(String parameter, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw violated(parameter, "be positive and finite", value);
    }
    return value;
  }

  /** Returns {@code value} if it is finite and not negative. */
  @CanIgnoreReturnValue
  public static double nonNegativeFinite(String parameter, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw violated(parameter, "be finite and not negative", value);
    }
    return value;
  }

  /** Throws {@code <parameter> must <rule>, found <found>} unless {@code holds}. */
  public static void that(boolean holds, String parameter, String rule, Object found) {
    if (!holds) {
      throw violated(parameter, rule, found);
    }
  }

  /** Throws an {@link IllegalStateException} with the formatted message unless {@code holds}. */
  @FormatMethod
  public static void state(boolean holds, @FormatString String message, Object... arguments) {
    if (!holds) {
      throw new IllegalStateException(String.format(Locale.ROOT, message, arguments));
    }
  }

  /** Returns the exception {@code <parameter> must <rule>, found <found>}, to be thrown. */
  public static IllegalArgumentException violated(String parameter, String rule, Object found) {
    return new IllegalArgumentException(parameter + " must " + rule + ", found " + found);
  }
}
