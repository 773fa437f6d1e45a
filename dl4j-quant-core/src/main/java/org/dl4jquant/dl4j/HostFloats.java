package org.dl4jquant.dl4j;

import com.google.common.primitives.ImmutableIntArray;
import java.nio.FloatBuffer;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.Granularity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The memory of an array of floats that fills it without gaps, in row-major order or the reverse of
 * it; not copied. Must not outlive the array.
 */
public final class HostFloats {
  private final FloatBuffer buffer;
  private final int[] shape;
  private final boolean reversed;

  private HostFloats(FloatBuffer buffer, int[] shape, boolean reversed) {
    this.buffer = buffer;
    this.shape = shape;
    this.reversed = reversed;
  }

  /** Returns the memory; empty if the array has other elements, gaps, or is on another device. */
  public static Optional<HostFloats> of(INDArray array) {
    if (array.dataType() != DataType.FLOAT
        || array.isEmpty()
        || array.length() > Integer.MAX_VALUE / Float.BYTES
        || Nd4j.getExecutioner().type() != ExecutionerType.NATIVE_CPU) {
      return Optional.empty();
    }
    boolean rows = isDense(array, false);
    if (!rows && !isDense(array, true)) {
      return Optional.empty();
    }
    int[] shape = Tensors.shape(array);
    int length = Math.toIntExact(array.length());
    FloatBuffer memory =
        new FloatPointer(new Address(array.data().addressPointer().address()))
            .capacity(length)
            .asBuffer();
    return Optional.of(new HostFloats(memory, shape, !rows));
  }

  private static boolean isDense(INDArray array, boolean reversed) {
    long expected = 1;
    int rank = array.rank();
    for (int i = 0; i < rank; i++) {
      int axis = reversed ? i : rank - 1 - i;
      if (array.size(axis) != 1 && array.stride(axis) != expected) {
        return false;
      }
      expected *= array.size(axis);
    }
    return true;
  }

  /** Returns the elements in the order of memory; writes change the array. */
  public FloatBuffer buffer() {
    return buffer;
  }

  /** Returns whether the elements are in row-major order. */
  public boolean rowMajor() {
    return !reversed || shape.length < 2;
  }

  /** Returns whether both have their elements in the same order. */
  public boolean inOrderOf(HostFloats other) {
    return buffer.capacity() == other.buffer.capacity()
        && (reversed == other.reversed || shape.length < 2);
  }

  /**
   * Returns the channels of the elements in the order of memory; empty where the order of memory
   * numbers the channels in another way than {@link Granularity} does.
   *
   * @param axes of the channels; none for one channel
   */
  public Optional<ChannelRuns> channels(int... axes) {
    if (axes.length == 0) {
      return Optional.of(new ChannelRuns(1, ImmutableIntArray.of(0), buffer.capacity()));
    }
    if (!reversed) {
      return Optional.of(Granularity.perChannel(axes).runs(shape));
    }
    if (axes.length > 1) {
      return Optional.empty();
    }
    int[] mirrored = new int[shape.length];
    for (int axis = 0; axis < shape.length; axis++) {
      mirrored[axis] = shape[shape.length - 1 - axis];
    }
    return Optional.of(Granularity.perChannel(shape.length - 1 - axes[0]).runs(mirrored));
  }

  /** A pointer to a given address. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
