package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.util.Arrays;
import org.dl4jquant.format.Granularity;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One parameter array of a network.
 *
 * @param layer the layer's name
 * @param parameter DL4J's key within the layer, such as {@code W}
 * @param array the array itself, not a copy
 * @param shape the sizes by which its channels are found, see {@link
 *     org.dl4jquant.dl4j.ParameterLayout#shape}
 * @param weight whether it multiplies activations; biases and running statistics do not
 * @param bias whether it is added to activations
 * @param frozen whether training leaves it alone
 */
record NetworkParameter(
    String layer,
    String parameter,
    INDArray array,
    ImmutableList<Integer> shape,
    boolean weight,
    boolean bias,
    boolean frozen) {
  /** Returns for example {@code dense.W}. */
  String name() {
    return layer + "." + parameter;
  }

  /**
   * Returns the channels in the order of memory.
   *
   * @throws IllegalArgumentException if the granularity does not fit
   */
  ChannelTable channels(Granularity granularity) {
    long[] sizes = shape.stream().mapToLong(Integer::longValue).toArray();
    granularity.channels(Ints.toArray(shape));
    return ChannelTable.of(
        granularity,
        sizes,
        Arrays.equals(sizes, array.shape()) ? array.stride() : ChannelTable.rowMajor(sizes));
  }
}
