package org.dl4jquant.listeners;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.Pointer;
import org.dl4jquant.update.ValueBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.pointers.PagedPointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/** Views of arrays as flat runs of numbers in the order of their memory, without copying. */
final class NativeValues {
  private static final long MOST_BYTES = Integer.MAX_VALUE;

  private NativeValues() {}

  /** Returns the address of the array's first element. */
  static long address(INDArray array) {
    return array.data().addressPointer().address();
  }

  /**
   * Returns at which element of the parameter vector a parameter starts.
   *
   * @throws IllegalStateException if it is not a part of it
   */
  static long offset(String name, INDArray parameter, INDArray all) {
    long bytes = address(parameter) - address(all);
    long offset = Math.floorDiv(bytes, (long) all.dataType().width());
    if (bytes < 0 || offset + parameter.length() > all.length()) {
      throw new IllegalStateException(name + " must be a part of the network's parameter vector");
    }
    return offset;
  }

  /**
   * Returns a view of {@code length} elements of a contiguous array's memory, which must stay
   * reachable as long as the view.
   *
   * @throws IllegalStateException if the elements are not floats or doubles, not in the host's
   *     memory, or more than 2 GiB
   */
  static ValueBuffer view(String name, INDArray array, long from, long length) {
    return array.dataType() == DataType.DOUBLE
        ? ValueBuffer.of(doubles(name, array, from, length))
        : ValueBuffer.of(floats(name, array, from, length));
  }

  /** Returns the view of an array of floats. */
  static FloatBuffer floats(String name, INDArray array, long from, long length) {
    return elements(name, array, from, length).asFloatPointer().capacity(length).asBuffer();
  }

  /** Returns the view of an array of doubles. */
  static DoubleBuffer doubles(String name, INDArray array, long from, long length) {
    return elements(name, array, from, length).asDoublePointer().capacity(length).asBuffer();
  }

  private static PagedPointer elements(String name, INDArray array, long from, long length) {
    ExecutionerType executioner = Nd4j.getExecutioner().type();
    if (executioner != ExecutionerType.NATIVE_CPU) {
      throw new IllegalStateException(
          name + " must be in the host's memory, found the " + executioner + " backend");
    }
    DataType type = array.dataType();
    if (type != DataType.FLOAT && type != DataType.DOUBLE) {
      throw new IllegalStateException(name + " must be FLOAT or DOUBLE, found " + type);
    }
    if (length * type.width() > MOST_BYTES) {
      throw new IllegalStateException(
          name + " must have at most " + MOST_BYTES / type.width() + " elements, found " + length);
    }
    Pointer start = new Address(address(array) + from * type.width());
    return new PagedPointer(start, length);
  }

  /** Returns whether the array's elements fill one run of memory, in any order of the axes. */
  static boolean isContiguous(INDArray array) {
    long expected = 1;
    boolean[] done = new boolean[array.rank()];
    for (int placed = 0; placed < done.length; placed++) {
      int next = -1;
      for (int axis = 0; axis < done.length && next < 0; axis++) {
        if (!done[axis] && (array.size(axis) == 1 || array.stride(axis) == expected)) {
          next = axis;
        }
      }
      if (next < 0) {
        return false;
      }
      done[next] = true;
      expected *= array.size(next);
    }
    return true;
  }

  /** A pointer to a given address. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
