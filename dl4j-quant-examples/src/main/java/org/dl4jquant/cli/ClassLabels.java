package org.dl4jquant.cli;

import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import org.dl4jquant.datafile.LabeledExamples;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The true class at each position of a network's output: one per example, or one per time step or
 * pixel of it.
 *
 * @param classes in the order of the examples, row-major within one; {@link #NONE} where a sequence
 *     is padded
 * @param positions how many there are per example
 */
record ClassLabels(ImmutableIntArray classes, int positions) {
  /** Stands where there is no label. */
  static final int NONE = -1;

  /**
   * Reads the labels of a file as those of outputs of a given shape.
   *
   * <p>They are class indices, in the shape of the outputs without their class axis, or one row of
   * weights per position, in the shape of the outputs, of which the largest tells the class. In a
   * sequence or an image a row of zeros means that the position does not count, as in DL4J.
   *
   * @param outputShape what the network gives for some of the examples
   * @param classAxis the axis of that shape along which the classes lie
   * @throws CommandFailedException if labels are missing, of another shape or out of range
   */
  static ClassLabels of(LabeledExamples examples, long[] outputShape, int classAxis) {
    INDArray labels =
        examples
            .labels()
            .orElseThrow(
                () ->
                    new CommandFailedException(
                        examples.source() + ": must have labels (array y), found none"));
    int classes = Math.toIntExact(outputShape[classAxis]);
    long[] oneHot = outputShape.clone();
    oneHot[0] = examples.size();
    long[] indices = without(oneHot, classAxis);
    int positions = Math.toIntExact(product(indices) / examples.size());
    boolean rows = classes > 1 && Arrays.equals(labels.shape(), oneHot);
    boolean column = outputShape.length == 2 && labels.rank() == 2 && labels.size(1) == 1;
    if (!rows && !column && !Arrays.equals(labels.shape(), indices)) {
      throw new CommandFailedException(
          examples.source()
              + ": labels must be class indices of shape "
              + Arrays.toString(indices)
              + (classes > 1 ? " or one-hot of shape " + Arrays.toString(oneHot) : "")
              + " for this network, found "
              + Arrays.toString(labels.shape()));
    }
    float[] values = rows ? classLast(labels, classAxis) : labels.dup('c').data().asFloat();
    int[] found = new int[values.length / (rows ? classes : 1)];
    int range = Math.max(2, classes);
    for (int i = 0; i < found.length; i++) {
      found[i] =
          rows
              ? largest(values, i, classes, positions, examples.source())
              : index(values[i], i / positions, range, examples.source());
    }
    return new ClassLabels(ImmutableIntArray.copyOf(found), positions);
  }

  private static int index(float label, int example, int classes, String source) {
    if (!(label >= 0) || label >= classes || label != Math.rint(label)) {
      throw new CommandFailedException(
          "%s: label of example %d must be a class from 0 to %d, found %s"
              .formatted(source, example, classes - 1, number(label)));
    }
    return (int) label;
  }

  private static int largest(float[] values, int row, int classes, int positions, String source) {
    int best = 0;
    float sum = 0;
    boolean valid = true;
    for (int c = 0; c < classes; c++) {
      float value = values[row * classes + c];
      valid &= value >= 0;
      sum += value;
      best = value > values[row * classes + best] ? c : best;
    }
    if (sum == 0 && positions > 1) {
      return NONE;
    }
    int ties = 0;
    for (int c = 0; c < classes; c++) {
      ties += values[row * classes + c] == values[row * classes + best] ? 1 : 0;
    }
    if (!valid || !(sum > 0) || Float.isInfinite(sum) || ties > 1) {
      float[] found = Arrays.copyOfRange(values, row * classes, (row + 1) * classes);
      throw new CommandFailedException(
          "%s: label of example %d must be one-hot, found %s"
              .formatted(source, row / positions, Arrays.toString(found)));
    }
    return best;
  }

  private static String number(float label) {
    return label == Math.rint(label) && Math.abs(label) < 1 << 24
        ? String.valueOf((long) label)
        : String.valueOf(label);
  }

  /** Returns the elements in row-major order after the class axis was moved to the end. */
  static float[] classLast(INDArray array, int classAxis) {
    int[] order = new int[array.rank()];
    for (int from = 0, to = 0; from < order.length; from++) {
      if (from != classAxis) {
        order[to++] = from;
      }
    }
    order[order.length - 1] = classAxis;
    return array.permute(order).dup('c').data().asFloat();
  }

  private static long[] without(long[] shape, int axis) {
    long[] rest = new long[shape.length - 1];
    for (int i = 0, to = 0; i < shape.length; i++) {
      if (i != axis) {
        rest[to++] = shape[i];
      }
    }
    return rest;
  }

  private static long product(long[] shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }
}
