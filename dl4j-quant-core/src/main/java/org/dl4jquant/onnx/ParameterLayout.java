package org.dl4jquant.onnx;

import com.google.common.primitives.ImmutableLongArray;
import java.util.Arrays;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;

/**
 * How ONNX wants a weight that lies with its output channels first.
 *
 * @param weightShape the ONNX shape
 * @param swapped true if the output channels are ONNX's second axis, not its first
 * @param biasShape the ONNX shape of the bias, one element per output channel
 */
record ParameterLayout(
    ImmutableLongArray weightShape, boolean swapped, ImmutableLongArray biasShape) {
  static ParameterLayout outputsFirst(Weighted op, long... weightShape) {
    return new ParameterLayout(
        ImmutableLongArray.copyOf(weightShape), false, ImmutableLongArray.of(op.outputChannels()));
  }

  static ParameterLayout inputsFirst(Weighted op, long... weightShape) {
    return new ParameterLayout(
        ImmutableLongArray.copyOf(weightShape), true, ImmutableLongArray.of(op.outputChannels()));
  }

  /** Returns the layout of one number per channel that meets a value of this rank. */
  static ParameterLayout perChannel(Weighted op, int rank) {
    ImmutableLongArray shape = ImmutableLongArray.copyOf(channelShape(op.outputChannels(), rank));
    return new ParameterLayout(shape, false, shape);
  }

  /** Returns {@code [channels, 1, …]}: broadcast over a value whose rank excludes the batch. */
  static long[] channelShape(int channels, int rank) {
    long[] shape = new long[rank];
    Arrays.fill(shape, 1);
    shape[0] = channels;
    return shape;
  }

  int outputAxis() {
    return swapped ? 1 : 0;
  }

  /** Returns where element i of the ONNX order lies in the graph's order. */
  int source(int i) {
    if (!swapped) {
      return i;
    }
    Checks.that(weightShape.length() >= 2, "weight", "have two axes", weightShape.length());
    int inputs = Math.toIntExact(weightShape.get(0));
    int outputs = Math.toIntExact(weightShape.get(1));
    int length = length();
    int area = length / (inputs * outputs);
    int input = i / (outputs * area);
    int output = i / area % outputs;
    return (output * inputs + input) * area + i % area;
  }

  int length() {
    return Math.toIntExact(weightShape.stream().reduce(1, Math::multiplyExact));
  }
}
