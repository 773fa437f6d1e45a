package org.dl4jquant.listeners;

import java.util.function.Predicate;
import org.dl4jquant.internal.Glob;

/** A layer's name, or a pattern of names: {@code *} is any text, {@code ?} any one character. */
record LayerPattern(Glob glob) implements Predicate<String> {
  LayerPattern(String text) {
    this(new Glob(text));
  }

  String text() {
    return glob.text();
  }

  @Override
  public boolean test(String layer) {
    return glob.matches(layer);
  }
}
