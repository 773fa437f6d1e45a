package org.dl4jquant.execute;

import org.dl4jquant.graph.Shape;

/**
 * How many examples are computed together: few enough for the caches, so many that loops are long.
 */
final class PartSize {
  private static final int MAX_EXAMPLES = 8;
  private static final int MIN_PARTS = 4;
  private static final int MAX_ELEMENTS = 1 << 20;

  private PartSize() {}

  /** Returns a number that depends on batch and network only, not on the threads. */
  static int of(int batch, Iterable<Shape> shapes) {
    long elements = 1;
    for (Shape shape : shapes) {
      elements += shape.known() ? shape.elements() : 0;
    }
    int share = Math.min(MAX_EXAMPLES, (batch + MIN_PARTS - 1) / MIN_PARTS);
    return (int) Math.max(1, Math.min(share, MAX_ELEMENTS / elements));
  }
}
