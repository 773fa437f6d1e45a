package org.dl4jquant.dl4j;

import java.util.Arrays;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Copies between ND4J arrays and tensors. Any element order, strides and floating-point type are
 * read; elements are always numbered in row-major order.
 */
public final class Tensors {
  private Tensors() {}

  /** Returns a copy of the array; doubles are rounded to floats. */
  public static Tensor of(INDArray array) {
    requireFloatingPoint(array);
    int[] shape = new int[array.rank()];
    for (int axis = 0; axis < shape.length; axis++) {
      shape[axis] = Math.toIntExact(array.size(axis));
    }
    float[] values = array.isEmpty() ? new float[0] : array.dup('c').data().asFloat();
    return Tensor.of(values, shape);
  }

  /** Returns a new FLOAT array in 'c' order. */
  public static INDArray toArray(Tensor tensor) {
    long[] shape = new long[tensor.rank()];
    for (int axis = 0; axis < shape.length; axis++) {
      shape[axis] = tensor.size(axis);
    }
    return Nd4j.create(tensor.values().clone(), shape, 'c');
  }

  /**
   * Overwrites {@code target}, whatever its order and type, with the elements of {@code source}.
   * Axes of size 1 do not matter: DL4J gives some parameters the shape [n] or [1, n] by the way in
   * which the network was made.
   */
  public static void copyInto(Tensor source, INDArray target) {
    INDArray values = toArray(source);
    Checks.that(
        Arrays.equals(withoutOnes(values.shape()), withoutOnes(target.shape())),
        "source",
        "have shape " + Arrays.toString(target.shape()),
        source);
    target.assign(values.reshape('c', target.shape()).castTo(target.dataType()));
  }

  private static long[] withoutOnes(long[] shape) {
    return Arrays.stream(shape).filter(size -> size != 1).toArray();
  }

  /** Returns the elements as doubles, exactly. */
  static double[] doubles(INDArray array) {
    requireFloatingPoint(array);
    return array.isEmpty() ? new double[0] : array.dup('c').data().asDouble();
  }

  private static void requireFloatingPoint(INDArray array) {
    Checks.that(
        array.dataType().isFPType(), "array", "hold floating-point numbers", array.dataType());
  }
}
