package org.dl4jquant.dl4j;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Copies between ND4J arrays and tensors. Any element order, strides and floating-point type are
 * read, and whole numbers, such as the indices that an embedding takes, up to 2^24 in magnitude;
 * elements are always numbered in row-major order.
 */
public final class Tensors {
  private static final long LARGEST_WHOLE = 1L << 24;

  private Tensors() {}

  /**
   * Returns a copy of the array; doubles are rounded to floats.
   *
   * @throws IllegalArgumentException if it holds neither numbers nor truth values, or whole numbers
   *     that no float stands for
   */
  public static Tensor of(INDArray array) {
    requireNumbers(array);
    if (array.isEmpty()) {
      return Tensor.of(new float[0], shape(array));
    }
    if (array.dataType().isFPType()) {
      return Tensor.of(array.dup('c').data().asFloat(), shape(array));
    }
    float[] values = new float[Math.toIntExact(array.length())];
    copyWhole(array, values);
    return Tensor.of(values, shape(array));
  }

  /**
   * Copies the elements in row-major order into the first part of {@code target}, quickly; doubles
   * are rounded to floats.
   */
  public static void copy(INDArray array, float[] target) {
    requireNumbers(array);
    if (array.isEmpty()) {
      return;
    }
    if (!array.dataType().isFPType()) {
      copyWhole(array, target);
      return;
    }
    INDArray floats = array.castTo(DataType.FLOAT);
    boolean plain =
        floats.ordering() == 'c' && !floats.isView() && Shape.hasDefaultStridesForShape(floats);
    INDArray ordered = plain ? floats : floats.dup('c');
    ordered.data().asNioFloat().get(target, 0, Math.toIntExact(ordered.length()));
  }

  private static void copyWhole(INDArray array, float[] target) {
    long[] values = array.castTo(DataType.INT64).dup('c').data().asLong();
    for (int i = 0; i < values.length; i++) {
      Checks.that(
          Math.abs(values[i]) <= LARGEST_WHOLE,
          "array",
          "hold whole numbers up to 2^24 in magnitude",
          values[i]);
      target[i] = values[i];
    }
  }

  /**
   * Returns whether an array holds floats that fill its buffer without gaps, in whatever order of
   * axes: element {@code i} of the buffer has index {@code i / stride(axis) % size(axis)}.
   */
  public static boolean isDense(INDArray array) {
    if (array.dataType() != DataType.FLOAT
        || array.isEmpty()
        || array.offset() != 0
        || array.data().offset() != 0
        || array.data().length() != array.length()) {
      return false;
    }
    long filled = 1;
    for (int found = 0; found < array.rank(); found++) {
      for (int axis = 0; axis < array.rank(); axis++) {
        boolean next = array.size(axis) > 1 && array.stride(axis) == filled;
        filled *= next ? array.size(axis) : 1;
      }
    }
    return filled == array.length();
  }

  /** Copies a dense array into the first part of {@code target} as its buffer has it. */
  public static void copyBuffer(INDArray array, float[] target) {
    array.data().asNioFloat().get(target, 0, Math.toIntExact(array.length()));
  }

  /**
   * Returns a copy of DL4J's array in the layout of the graph.
   *
   * @param batch the number of examples
   */
  public static Tensor inGraph(INDArray array, Layout layout, int batch) {
    int rank = array.rank();
    return switch (layout) {
      case AS_IN_DL4J -> of(array);
      case CHANNELS_LAST -> {
        int[] axes = new int[rank];
        for (int axis = 2; axis < rank; axis++) {
          axes[axis] = axis - 1;
        }
        axes[1] = rank - 1;
        yield of(array.permute(axes));
      }
      case STEPS -> of(unfolded(array, batch).permute(0, 2, 1));
      case FOLDED -> of(unfolded(array, batch));
    };
  }

  private static INDArray unfolded(INDArray array, int batch) {
    long[] shape = new long[array.rank() + 1];
    System.arraycopy(array.shape(), 1, shape, 2, array.rank() - 1);
    shape[0] = batch;
    shape[1] = array.size(0) / batch;
    return array.dup('f').reshape('f', shape);
  }

  static int[] shape(INDArray array) {
    return Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray();
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
        sameBesideOnes(source.shape(), shape(target)),
        "source",
        "have shape " + Arrays.toString(target.shape()),
        source);
    target.assign(values.reshape('c', target.shape()).castTo(target.dataType()));
  }

  static boolean sameBesideOnes(int[] one, int[] other) {
    return Arrays.equals(withoutOnes(one), withoutOnes(other));
  }

  private static int[] withoutOnes(int[] shape) {
    return Arrays.stream(shape).filter(size -> size != 1).toArray();
  }

  /** Returns the elements exactly: doubles as big-endian doubles, everything else as floats. */
  static byte[] bytes(INDArray array) {
    requireFloatingPoint(array);
    boolean wide = array.dataType() == DataType.DOUBLE;
    int width = wide ? Double.BYTES : Float.BYTES;
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(array.length() * width));
    if (array.isEmpty()) {
      return bytes.array();
    }
    if (wide) {
      bytes.asDoubleBuffer().put(array.dup('c').data().asDouble());
    } else {
      bytes.asFloatBuffer().put(array.dup('c').data().asFloat());
    }
    return bytes.array();
  }

  private static void requireNumbers(INDArray array) {
    DataType type = array.dataType();
    Checks.that(
        type.isFPType() || type.isIntType() || type == DataType.BOOL,
        "array",
        "hold numbers",
        type);
  }

  private static void requireFloatingPoint(INDArray array) {
    Checks.that(
        array.dataType().isFPType(), "array", "hold floating-point numbers", array.dataType());
  }
}
