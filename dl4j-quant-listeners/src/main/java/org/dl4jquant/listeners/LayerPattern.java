package org.dl4jquant.listeners;

import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.dl4jquant.internal.Checks;

/** A layer's name, or a pattern of names: {@code *} is any text, {@code ?} any one character. */
record LayerPattern(String text) implements Predicate<String> {
  LayerPattern {
    Checks.that(!text.isBlank(), "pattern", "not be blank", '"' + text + '"');
  }

  @Override
  public boolean test(String layer) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL).matcher(layer).matches();
  }
}
