package org.dl4jquant.format;

import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import org.dl4jquant.internal.Checks;

/**
 * The channels of a tensor's elements in row-major order, as runs of equal channels: {@code
 * repeats} times the sequence {@code channels}, each entry standing for {@code length} neighboring
 * elements.
 *
 * <p>A loop over the runs needs no division to find an element's channel, and the sequence is no
 * longer than the axes between the first and the last channel axis: a dense weight {@code [in,
 * out]} with one channel per output is {@code in} repeats of {@code 0, 1, ... out - 1}, each of
 * length 1.
 *
 * @param repeats how often the sequence is repeated; not negative
 * @param channels the channel of each run
 * @param length the elements of one run; not negative
 */
public record ChannelRuns(int repeats, ImmutableIntArray channels, int length) {
  public ChannelRuns {
    Checks.inRange("repeats", repeats, 0, Integer.MAX_VALUE);
    Checks.inRange("length", length, 0, Integer.MAX_VALUE);
  }

  /** Returns the number of elements that the runs cover. */
  public int elements() {
    return Math.multiplyExact(Math.multiplyExact(repeats, channels.length()), length);
  }

  /** Returns the channel of every element. */
  public int[] channelOfEach() {
    int[] all = new int[elements()];
    int end = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
      for (int run = 0; run < channels.length(); run++) {
        Arrays.fill(all, end, end + length, channels.get(run));
        end += length;
      }
    }
    return all;
  }

  /** Returns the product of the sizes of the axes {@code from} (inclusive) to {@code to}. */
  static int product(int[] shape, int from, int to) {
    int product = 1;
    for (int axis = from; axis < to; axis++) {
      Checks.that(shape[axis] >= 0, "shape", "have no negative size", Arrays.toString(shape));
      product = Math.multiplyExact(product, shape[axis]);
    }
    return product;
  }
}
