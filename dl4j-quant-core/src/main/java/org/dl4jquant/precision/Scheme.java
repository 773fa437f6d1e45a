package org.dl4jquant.precision;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Locale;
import org.dl4jquant.internal.Checks;

/** The kind of numbers that codes stand for. */
public enum Scheme {
  /** Steps that are powers of two: integers and shifts are all that hardware needs. */
  FIXED_POINT,
  /**
   * Steps that are any floats, and a zero point for each value, so that a range is used to its
   * ends: between sums and codes there is a multiplication in float. One format per value, one per
   * output channel of weights.
   */
  AFFINE;

  /** Returns the name in plans and on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Returns the scheme of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists them
   */
  public static Scheme named(String word) {
    return Arrays.stream(values())
        .filter(scheme -> scheme.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                Checks.violated("scheme", "be " + String.join(" or ", words()), "'" + word + "'"));
  }

  private static ImmutableList<String> words() {
    return Arrays.stream(values()).map(Scheme::word).collect(toImmutableList());
  }
}
