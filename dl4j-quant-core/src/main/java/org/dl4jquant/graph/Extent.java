package org.dl4jquant.graph;

import org.dl4jquant.internal.Checks;

/** A height and a width, each at least 1: of a kernel, a stride, a dilation or a scale. */
public record Extent(int height, int width) {
  /** One by one. */
  public static final Extent ONE = new Extent(1, 1);

  public Extent {
    Checks.positive("height", height);
    Checks.positive("width", width);
  }

  /** Returns a square. */
  public static Extent square(int size) {
    return new Extent(size, size);
  }

  /** Returns height times width. */
  public int area() {
    return Math.multiplyExact(height, width);
  }
}
