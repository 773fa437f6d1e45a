package org.dl4jquant.graph;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Arrays;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * An operation that multiplies by weights and adds a bias: per output channel a sum of products.
 *
 * <p>The weight's first axis is the output channel. Its second axis, if any, numbers the kernel
 * slices: each slice meets one input channel.
 */
public sealed interface Weighted extends Op
    permits Dense, Convolution, Deconvolution, ChannelAffine {
  /** Returns the weight; its first axis is the output channel. */
  Tensor weight();

  /** Returns the bias, {@code [outputChannels]}; zeros if the layer has none. */
  Tensor bias();

  /** Returns the same operation with other parameters of the same shapes. */
  Weighted withParameters(Tensor weight, Tensor bias);

  /** Returns the number of input channels; for {@link Dense} the number of features. */
  int inputChannels();

  /** Returns the number of output channels. */
  default int outputChannels() {
    return weight().size(0);
  }

  /** Returns the number of kernel slices of one output channel. */
  default int slices() {
    return weight().rank() == 1 ? 1 : weight().size(1);
  }

  /** Returns the input channel that meets kernel slice {@code slice} of {@code outputChannel}. */
  int inputChannel(int outputChannel, int slice);

  /**
   * Returns the operation whose output channel c is {@code factors[c]} times that of this one.
   *
   * @throws IllegalArgumentException if the number of factors is not the number of output channels
   */
  default Weighted scaledOutputs(ImmutableDoubleArray factors) {
    requireLength("factors", factors.length(), outputChannels());
    float[] weights = weight().values().clone();
    int perChannel = weights.length / outputChannels();
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (weights[i] * factors.get(i / perChannel));
    }
    float[] biases = bias().values().clone();
    for (int c = 0; c < biases.length; c++) {
      biases[c] = (float) (biases[c] * factors.get(c));
    }
    return withParameters(Tensor.of(weights, weight().shape()), Tensor.of(biases, biases.length));
  }

  /**
   * Returns the operation that gives for inputs x what this one gives for {@code factors[c] * x}.
   *
   * @throws IllegalArgumentException if the number of factors is not the number of input channels
   */
  default Weighted scaledInputs(ImmutableDoubleArray factors) {
    requireLength("factors", factors.length(), inputChannels());
    float[] weights = weight().values().clone();
    int area = weights.length / (outputChannels() * slices());
    for (int i = 0; i < weights.length; i++) {
      int slice = i / area;
      int channel = inputChannel(slice / slices(), slice % slices());
      weights[i] = (float) (weights[i] * factors.get(channel));
    }
    return withParameters(Tensor.of(weights, weight().shape()), bias());
  }

  private static void requireLength(String parameter, int found, int expected) {
    Checks.that(found == expected, parameter, "number " + expected, found);
  }

  /** Checks the rank of a weight and that the bias has one element per output channel. */
  static void check(Tensor weight, Tensor bias, int rank) {
    Checks.that(weight.rank() == rank, "weight", "have rank " + rank, weight);
    Checks.that(weight.length() > 0, "weight", "not be empty", weight);
    Checks.that(
        Arrays.equals(bias.shape(), new int[] {weight.size(0)}),
        "bias",
        "have shape [" + weight.size(0) + "]",
        bias);
  }
}
