package org.dl4jquant.dl4j;

import org.dl4jquant.tensor.Tensor;

/** Reorders the axes of parameters. */
final class Axes {
  private Axes() {}

  /** Returns the tensor whose axis i is axis {@code axes[i]} of {@code tensor}. */
  static Tensor permuted(Tensor tensor, int... axes) {
    int rank = axes.length;
    int[] strides = new int[rank];
    int stride = 1;
    for (int axis = rank - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= tensor.size(axis);
    }
    int[] shape = new int[rank];
    for (int axis = 0; axis < rank; axis++) {
      shape[axis] = tensor.size(axes[axis]);
    }
    float[] values = new float[tensor.length()];
    for (int i = 0; i < values.length; i++) {
      int rest = i;
      int source = 0;
      for (int axis = rank - 1; axis >= 0; axis--) {
        source += rest % shape[axis] * strides[axes[axis]];
        rest /= shape[axis];
      }
      values[i] = tensor.values()[source];
    }
    return Tensor.of(values, shape);
  }
}
