package org.dl4jquant.execute;

import org.dl4jquant.graph.Shape;

/**
 * The codes of one value for a part of the batch, counted from the zero point of its format and
 * arranged for long loops without gaps.
 *
 * <p>A value with positions lies in one array per channel, {@code [position][example]}. A feature
 * vector lies in one array per example, {@code [feature]}. Arrays may be longer than the value.
 */
final class CodeArrays {
  private final int[][] arrays;
  private final Shape shape;
  private final int batch;
  private final int positions;
  private final int count;
  private final int length;

  CodeArrays(int[][] arrays, Shape shape, int batch) {
    this.arrays = arrays;
    this.shape = shape;
    this.batch = batch;
    this.positions = shape.elements() / shape.channels();
    this.count = count(shape, batch);
    this.length = length(shape, batch);
  }

  static int count(Shape shape, int batch) {
    return shape.rank() == 1 ? batch : shape.channels();
  }

  static int length(Shape shape, int batch) {
    return shape.rank() == 1
        ? shape.channels()
        : Math.multiplyExact(shape.elements() / shape.channels(), batch);
  }

  /** Returns true if there is one array per example instead of one per channel. */
  boolean features() {
    return shape.rank() == 1;
  }

  Shape shape() {
    return shape;
  }

  int batch() {
    return batch;
  }

  /** Returns the number of positions of one channel of one example. */
  int positions() {
    return positions;
  }

  /** Returns the number of arrays in use. */
  int count() {
    return count;
  }

  /** Returns the length of each array that is in use. */
  int length() {
    return length;
  }

  int[] array(int index) {
    return arrays[index];
  }

  int[][] arrays() {
    return arrays;
  }

  /** Sets one code; elements are counted channels first. */
  void set(int example, int element, int code) {
    if (features()) {
      arrays[example][element] = code;
    } else {
      arrays[element / positions][element % positions * batch + example] = code;
    }
  }

  /** Copies the codes of one example, channels first. */
  void read(int example, int[] to, int offset) {
    if (features()) {
      System.arraycopy(arrays[example], 0, to, offset, shape.channels());
      return;
    }
    for (int c = 0, i = offset; c < shape.channels(); c++, i += positions) {
      int[] plane = arrays[c];
      for (int p = 0; p < positions; p++) {
        to[i + p] = plane[p * batch + example];
      }
    }
  }

  /** Sets the codes of one example, channels first. */
  void write(int example, int[] from, int offset) {
    if (features()) {
      System.arraycopy(from, offset, arrays[example], 0, shape.channels());
      return;
    }
    for (int c = 0, i = offset; c < shape.channels(); c++, i += positions) {
      int[] plane = arrays[c];
      for (int p = 0; p < positions; p++) {
        plane[p * batch + example] = from[i + p];
      }
    }
  }
}
