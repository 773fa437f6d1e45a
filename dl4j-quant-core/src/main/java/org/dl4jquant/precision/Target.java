package org.dl4jquant.precision;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Locale;
import org.dl4jquant.internal.Checks;

/** What is to compute a network in integers, which decides which formats its values may have. */
public enum Target {
  /**
   * {@code IntegerNetwork}, the C export and other fixed-point hardware: a format per channel of a
   * value wherever it has channels; products are aligned by shifts (method A's SHIFT_MAX).
   */
  INTEGER,
  /** The integer kernels of ONNX Runtime: one format per value. */
  ONNX;

  /** Returns the name in plans and on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Returns the target of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists them
   */
  public static Target named(String word) {
    return Arrays.stream(values())
        .filter(target -> target.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                Checks.violated("target", "be " + String.join(" or ", words()), "'" + word + "'"));
  }

  private static ImmutableList<String> words() {
    return Arrays.stream(values()).map(Target::word).collect(toImmutableList());
  }
}
