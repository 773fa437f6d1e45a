package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Locale;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.Target;

/**
 * How channels of different ranges meet in one sum.
 *
 * <p>The first two give a value a format per channel, which only {@link Target#INTEGER} computes.
 * The others give it one format; two of them let layers trade powers of two before that, channel by
 * channel, wherever nothing but homogeneous operations lie between them, so that the network
 * computes the same, exactly, with ranges that fit one format better.
 */
public enum Alignment {
  /** A format per channel; products are shifted to the finest grid (method A). */
  SHIFT_MAX,
  /** As {@link #SHIFT_MAX}, with biases rounded to the grid of what the sums become. */
  OUTPUT,
  /**
   * Every channel gets the resolution of a format of its own, and the weights that meet it lose as
   * much (method A).
   */
  ALIGN_MIN,
  /** Channels and weights share the loss so that the expected error of the sums is least. */
  BALANCED,
  /** One format for the channels as they are. */
  NONE;

  /** Returns what a target gets unless something else is asked for. */
  public static Alignment of(Target target) {
    return target == Target.INTEGER ? SHIFT_MAX : BALANCED;
  }

  /** Returns whether values get a format per channel. */
  public boolean perChannel() {
    return this == SHIFT_MAX || this == OUTPUT;
  }

  /** Returns whether layers trade powers of two first. */
  boolean trades() {
    return this == ALIGN_MIN || this == BALANCED;
  }

  /** Returns the name on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Returns the alignment of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists them
   */
  public static Alignment named(String word) {
    return Arrays.stream(values())
        .filter(alignment -> alignment.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                Checks.violated(
                    "alignment", "be one of " + String.join(", ", words()), "'" + word + "'"));
  }

  private static ImmutableList<String> words() {
    return Arrays.stream(values()).map(Alignment::word).collect(toImmutableList());
  }
}
