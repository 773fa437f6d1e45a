package org.dl4jquant.format;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.dl4jquant.internal.Checks;

/**
 * Which elements of a tensor share one format.
 *
 * <p>Elements are numbered in row-major order. The number of a channel is the row-major number of
 * its coordinates along the channel axes, in the order in which the axes stand in the shape.
 *
 * <p>The methods that take a shape throw {@link IllegalArgumentException} if a size is negative or
 * a channel axis is missing, and {@link ArithmeticException} beyond 2^31 - 1 elements.
 */
public sealed interface Granularity {
  /** Returns the granularity in which all elements share one format. */
  static Granularity perTensor() {
    return PerTensor.INSTANCE;
  }

  /**
   * Returns the granularity in which elements that agree in all {@code axes} share one format: one
   * axis for an output channel, two for a kernel slice or a depthwise kernel.
   */
  static Granularity perChannel(int... axes) {
    return new PerChannel(Arrays.stream(axes).boxed().collect(ImmutableList.toImmutableList()));
  }

  /** Returns how many formats a tensor of this shape has; 0 if a channel axis is empty. */
  int channels(int... shape);

  /** Returns the channels of the elements, in row-major order, as runs. */
  ChannelRuns runs(int... shape);

  /** Returns the channel of every element, in row-major order of the elements. */
  default int[] channelOfEach(int... shape) {
    return runs(shape).channelOfEach();
  }

  /** All elements share one format. */
  record PerTensor() implements Granularity {
    private static final PerTensor INSTANCE = new PerTensor();

    @Override
    public int channels(int... shape) {
      ChannelRuns.product(shape, 0, shape.length);
      return 1;
    }

    @Override
    public ChannelRuns runs(int... shape) {
      int elements = ChannelRuns.product(shape, 0, shape.length);
      return new ChannelRuns(1, ImmutableIntArray.of(0), elements);
    }

    @Override
    public String toString() {
      return "per tensor";
    }
  }

  /**
   * Elements with the same coordinates along the axes share one format.
   *
   * @param axes at least one, ascending
   */
  record PerChannel(ImmutableList<Integer> axes) implements Granularity {
    public PerChannel {
      Checks.that(!axes.isEmpty(), "axes", "name at least one axis", axes);
      for (int i = 0; i < axes.size(); i++) {
        Checks.that(
            axes.get(i) >= 0 && (i == 0 || axes.get(i) > axes.get(i - 1)),
            "axes",
            "be ascending and not negative",
            axes);
      }
    }

    @Override
    public int channels(int... shape) {
      Checks.that(last() < shape.length, "axes", "exist in shape " + Arrays.toString(shape), axes);
      ChannelRuns.product(shape, 0, shape.length);
      int channels = 1;
      for (int axis : axes) {
        channels = Math.multiplyExact(channels, shape[axis]);
      }
      return channels;
    }

    @Override
    public ChannelRuns runs(int... shape) {
      channels(shape);
      int first = axes.get(0);
      int[] channels = {0};
      for (int axis = first; axis <= last(); axis++) {
        boolean counts = axes.contains(axis);
        int[] next = new int[Math.multiplyExact(channels.length, shape[axis])];
        for (int i = 0; i < next.length; i++) {
          int outer = channels[i / shape[axis]];
          next[i] = counts ? outer * shape[axis] + i % shape[axis] : outer;
        }
        channels = next;
      }
      return new ChannelRuns(
          ChannelRuns.product(shape, 0, first),
          ImmutableIntArray.copyOf(channels),
          ChannelRuns.product(shape, last() + 1, shape.length));
    }

    private int last() {
      return axes.get(axes.size() - 1);
    }

    @Override
    public String toString() {
      return "per channel of axis "
          + axes.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
  }
}
