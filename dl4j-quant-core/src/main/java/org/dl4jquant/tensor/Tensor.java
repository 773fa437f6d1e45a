package org.dl4jquant.tensor;

import java.util.Arrays;
import org.dl4jquant.internal.Checks;

/**
 * A float array with a shape, in row-major order. Not copied and not guarded: whoever hands the
 * array over gives it away.
 */
public final class Tensor {
  private final float[] values;
  private final int[] shape;

  private Tensor(float[] values, int[] shape) {
    this.values = values;
    this.shape = shape;
  }

  /**
   * Returns a tensor over {@code values}, which it keeps.
   *
   * @throws IllegalArgumentException if the shape's product is not the number of values
   */
  public static Tensor of(float[] values, int... shape) {
    Checks.that(
        elements(shape) == values.length,
        "values",
        "have as many elements as shape " + Arrays.toString(shape),
        values.length);
    return new Tensor(values, shape.clone());
  }

  /** Returns a tensor of zeros. */
  public static Tensor zeros(int... shape) {
    return new Tensor(new float[Math.toIntExact(elements(shape))], shape.clone());
  }

  /** Returns the number of elements of a shape; 1 for a scalar's empty one. */
  public static long elements(int... shape) {
    long product = 1;
    for (int size : shape) {
      Checks.that(size >= 0, "shape", "have no negative size", Arrays.toString(shape));
      product = Math.multiplyExact(product, size);
    }
    return product;
  }

  /** Returns the elements themselves, not a copy. */
  public float[] values() {
    return values;
  }

  /** Returns a copy of the shape. */
  public int[] shape() {
    return shape.clone();
  }

  /** Returns the size along one axis. */
  public int size(int axis) {
    return shape[axis];
  }

  /** Returns the number of axes. */
  public int rank() {
    return shape.length;
  }

  /** Returns the number of elements. */
  public int length() {
    return values.length;
  }

  /** Returns the same elements under another shape. */
  public Tensor reshape(int... newShape) {
    return of(values, newShape);
  }

  @Override
  public String toString() {
    return "Tensor" + Arrays.toString(shape);
  }
}
