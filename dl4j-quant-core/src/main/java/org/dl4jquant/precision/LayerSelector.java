package org.dl4jquant.precision;

import org.dl4jquant.internal.Glob;

/**
 * Which layers a rule is for.
 *
 * <p>Its text form, for command lines and messages, is a name, a glob, or {@code type:} and a kind.
 */
public sealed interface LayerSelector {
  /** Returns whether the rule is for this layer. */
  boolean selects(LayerDescription layer);

  /** Selects the layer of exactly this name. */
  static LayerSelector named(String name) {
    return new Named(name);
  }

  /**
   * Selects the layers whose whole name matches {@code glob}: {@code *} stands for any characters,
   * also none, {@code ?} for exactly one; every other character for itself.
   */
  static LayerSelector matching(String glob) {
    return new Matching(glob);
  }

  /** Selects the layers of a kind: the simple name of DL4J's configuration class. */
  static LayerSelector ofKind(String kind) {
    return new OfKind(kind);
  }

  /** Reads the text form. */
  static LayerSelector parse(String text) {
    if (text.startsWith(OfKind.PREFIX)) {
      return ofKind(text.substring(OfKind.PREFIX.length()));
    }
    return Glob.isPattern(text) ? matching(text) : named(text);
  }

  /** By name. */
  record Named(String name) implements LayerSelector {
    @Override
    public boolean selects(LayerDescription layer) {
      return layer.name().equals(name);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** By glob. */
  record Matching(String glob) implements LayerSelector {
    @Override
    public boolean selects(LayerDescription layer) {
      return new Glob(glob).matches(layer.name());
    }

    @Override
    public String toString() {
      return glob;
    }
  }

  /** By kind. */
  record OfKind(String kind) implements LayerSelector {
    private static final String PREFIX = "type:";

    @Override
    public boolean selects(LayerDescription layer) {
      return layer.kind().equals(kind);
    }

    @Override
    public String toString() {
      return PREFIX + kind;
    }
  }
}
