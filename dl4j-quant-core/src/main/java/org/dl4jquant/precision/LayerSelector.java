package org.dl4jquant.precision;

import com.google.common.collect.ImmutableSet;
import java.util.List;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.internal.Glob;
import org.dl4jquant.internal.NearNames;

/**
 * Which layers, or vertices of a graph, a rule is for.
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

  /**
   * Checks that this selects something.
   *
   * @param what the candidates are, for the message
   * @throws IllegalArgumentException if it selects none of the candidates; the message names those
   *     that are near
   */
  default void requireAny(List<LayerDescription> candidates, String what) {
    if (candidates.stream().anyMatch(this::selects)) {
      return;
    }
    boolean kinds = this instanceof OfKind;
    ImmutableSet<String> subjects =
        candidates.stream()
            .map(kinds ? LayerDescription::kind : LayerDescription::name)
            .collect(ImmutableSet.toImmutableSet());
    String wanted = kinds ? toString().substring(OfKind.PREFIX.length()) : toString();
    throw Checks.violated(
        "selector " + this,
        "select " + what,
        "none of "
            + NearNames.listed(subjects)
            + NearNames.hint(wanted.replace("*", "").replace("?", ""), subjects));
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
