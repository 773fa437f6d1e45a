package org.dl4jquant.cli;

import org.nd4j.linalg.api.ndarray.INDArray;

/** What a network gives before its last activation: a row of numbers for each position. */
final class Logits {
  private final long[] shape;
  private final int classAxis;
  private final float[] values;

  /**
   * Takes the output of a network.
   *
   * @param output examples along axis 0
   * @param classAxis the axis along which the classes lie
   */
  Logits(INDArray output, int classAxis) {
    this.shape = output.shape();
    this.classAxis = classAxis;
    this.values = ClassLabels.classLast(output, classAxis);
  }

  /** Returns the shape of the output. */
  long[] shape() {
    return shape.clone();
  }

  int classAxis() {
    return classAxis;
  }

  /** Returns the number of classes; 1 for a single sigmoid, which has two. */
  int classes() {
    return (int) shape[classAxis];
  }

  /** Returns the number of rows: examples times positions. */
  int rows() {
    return values.length / classes();
  }

  /** Returns one element. */
  float value(int row, int column) {
    return values[row * classes() + column];
  }

  /** Returns the class of a row, the first of equals; -1 if there is a NaN. */
  int top(int row) {
    int best = 0;
    for (int c = 0; c < classes(); c++) {
      if (Float.isNaN(value(row, c))) {
        return ClassLabels.NONE;
      }
      best = value(row, c) > value(row, best) ? c : best;
    }
    return classes() > 1 ? best : value(row, 0) > 0 ? 1 : 0;
  }
}
