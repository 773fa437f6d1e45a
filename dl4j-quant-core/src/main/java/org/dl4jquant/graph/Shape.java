package org.dl4jquant.graph;

import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.internal.Checks;

/**
 * The sizes of a value without its batch axis: {@code [features]}, {@code [channels, time]} or
 * {@code [channels, height, width]} in the common cases; channels come first.
 *
 * @param sizes each at least 1, or {@link #UNKNOWN} if only the run time tells
 */
public record Shape(ImmutableIntArray sizes) {
  /** The size along an axis that is only known at run time. */
  public static final int UNKNOWN = -1;

  public Shape {
    Checks.that(!sizes.isEmpty(), "shape", "have at least one axis", sizes);
    for (int i = 0; i < sizes.length(); i++) {
      int size = sizes.get(i);
      Checks.that(size >= 1 || size == UNKNOWN, "shape", "have sizes of at least 1, or -1", sizes);
    }
  }

  /** Returns the shape with these sizes, batch excluded. */
  public static Shape of(int... sizes) {
    return new Shape(ImmutableIntArray.copyOf(sizes));
  }

  /** Returns the shape of one example of a batch. */
  public static Shape ofBatch(int... sizesWithBatch) {
    Checks.that(
        sizesWithBatch.length > 1,
        "shape",
        "have a batch axis and one more",
        sizesWithBatch.length);
    return new Shape(ImmutableIntArray.copyOf(sizesWithBatch).subArray(1, sizesWithBatch.length));
  }

  /** Returns the number of axes, batch excluded. */
  public int rank() {
    return sizes.length();
  }

  /** Returns the size along an axis, the batch not counted; maybe {@link #UNKNOWN}. */
  public int size(int axis) {
    return sizes.get(axis);
  }

  /** Returns the size along the first axis. */
  public int channels() {
    return sizes.get(0);
  }

  /** Returns the height; 1 for {@code [channels, time]} and {@code [features]}. */
  public int height() {
    return rank() == 3 ? sizes.get(1) : 1;
  }

  /**
   * Returns the width, which is the time for {@code [channels, time]}; 1 for {@code [features]}.
   */
  public int width() {
    return rank() == 1 ? 1 : sizes.get(rank() - 1);
  }

  /** Returns true if no size is {@link #UNKNOWN}. */
  public boolean known() {
    return !sizes.contains(UNKNOWN);
  }

  /**
   * Returns the number of elements of one example, or {@link #UNKNOWN}.
   *
   * @throws ArithmeticException beyond 2^31 - 1 elements
   */
  public int elements() {
    int elements = 1;
    for (int axis = 0; axis < sizes.length(); axis++) {
      if (sizes.get(axis) == UNKNOWN) {
        return UNKNOWN;
      }
      elements = Math.multiplyExact(elements, sizes.get(axis));
    }
    return elements;
  }

  /** Returns the sizes with a batch of {@code batch} in front. */
  public int[] withBatch(int batch) {
    return ImmutableIntArray.builder().add(batch).addAll(sizes).build().toArray();
  }

  /** Returns true if a run-time shape may stand where this one was declared. */
  public boolean accepts(Shape actual) {
    if (actual.rank() != rank()) {
      return false;
    }
    for (int axis = 0; axis < rank(); axis++) {
      if (size(axis) != UNKNOWN
          && actual.size(axis) != UNKNOWN
          && size(axis) != actual.size(axis)) {
        return false;
      }
    }
    return true;
  }

  /** Returns a shape of the same rank with other sizes; {@code height} must be 1 below rank 3. */
  Shape withSpatial(int channels, int height, int width) {
    if (rank() == 3) {
      return of(channels, height, width);
    }
    Checks.that(height == 1, "height", "be 1 for shape " + this, height);
    return of(channels, width);
  }

  Shape withSize(int axis, int size) {
    int[] copy = sizes.toArray();
    copy[axis] = size;
    return of(copy);
  }

  @Override
  public String toString() {
    return sizes.toString();
  }
}
