package org.dl4jquant.listeners;

import com.google.common.primitives.ImmutableIntArray;
import java.util.List;
import org.dl4jquant.format.Granularity;

/**
 * The output channels of a contiguous array in the order of its memory: {@code channels} repeated,
 * each entry standing for {@code length} neighbors.
 *
 * @param count the number of channels, 1 if the whole array is one
 */
record ChannelTable(int count, ImmutableIntArray channels, int length) {
  static ChannelTable whole(int elements) {
    return new ChannelTable(1, ImmutableIntArray.of(0), elements);
  }

  /** Numbers channels as {@code granularity} does, row-major over its axes. */
  static ChannelTable of(Granularity granularity, long[] shape, long[] strides) {
    int elements = 1;
    for (long size : shape) {
      elements = Math.toIntExact(elements * size);
    }
    if (!(granularity instanceof Granularity.PerChannel perChannel)) {
      return whole(elements);
    }
    List<Integer> axes = perChannel.axes().stream().filter(axis -> shape[axis] > 1).toList();
    if (axes.isEmpty()) {
      return whole(elements);
    }
    long length = axes.stream().mapToLong(axis -> strides[axis]).min().orElseThrow();
    long period = axes.stream().mapToLong(axis -> strides[axis] * shape[axis]).max().orElseThrow();
    int[] channels = new int[Math.toIntExact(period / length)];
    int count = 1;
    for (int axis : axes) {
      int size = Math.toIntExact(shape[axis]);
      count = Math.multiplyExact(count, size);
      for (int run = 0; run < channels.length; run++) {
        int coordinate = (int) (run * length / strides[axis] % size);
        channels[run] = channels[run] * size + coordinate;
      }
    }
    return new ChannelTable(count, ImmutableIntArray.copyOf(channels), Math.toIntExact(length));
  }

  /** Returns the strides of an array of this shape whose last index runs fastest. */
  static long[] rowMajor(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = stride;
      stride *= shape[axis];
    }
    return strides;
  }
}
