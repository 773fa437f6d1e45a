package org.dl4jquant.internal;

import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A pattern of names: {@code *} stands for any characters, also none, {@code ?} for exactly one,
 * every other character for itself. Matches whole names only.
 *
 * @param text not blank
 */
public record Glob(String text) {
  public Glob {
    Checks.that(!text.isBlank(), "pattern", "not be blank", '"' + text + '"');
  }

  /** Returns whether the text has a wildcard at all. */
  public static boolean isPattern(String text) {
    return text.contains("*") || text.contains("?");
  }

  /** Returns whether the whole name fits. */
  public boolean matches(String name) {
    String regex =
        text.codePoints()
            .mapToObj(c -> c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c)))
            .collect(Collectors.joining());
    return Pattern.compile(regex, Pattern.DOTALL).matcher(name).matches();
  }
}
