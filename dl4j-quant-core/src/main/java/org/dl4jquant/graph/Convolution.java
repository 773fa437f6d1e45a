package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * A two-dimensional convolution (without flipping the kernel). A sequence {@code [channels, time]}
 * counts as an image of height 1.
 *
 * @param weight {@code [outputs, inputs / groups, kernel height, kernel width]}
 * @param bias {@code [outputs]}
 * @param groups input and output channels are split into this many groups that do not meet; a
 *     depthwise convolution has as many groups as input channels
 */
public record Convolution(
    Tensor weight, Tensor bias, Extent strides, Extent dilation, Padding padding, int groups)
    implements Weighted {
  public Convolution {
    Weighted.check(weight, bias, 4);
    Checks.positive("groups", groups);
    Checks.that(
        weight.size(0) % groups == 0,
        "groups",
        "divide the " + weight.size(0) + " output channels",
        groups);
  }

  /** Returns a convolution with stride 1, one group and no dilation. */
  public static Convolution of(Tensor weight, Tensor bias, Padding padding) {
    return new Convolution(weight, bias, Extent.ONE, Extent.ONE, padding, 1);
  }

  /** Returns the sliding window. */
  public Window window() {
    return new Window(new Extent(weight.size(2), weight.size(3)), strides, dilation, padding);
  }

  /** Returns true if each output channel sees exactly one input channel. */
  public boolean depthwise() {
    return weight.size(1) == 1;
  }

  @Override
  public Convolution withParameters(Tensor newWeight, Tensor newBias) {
    return new Convolution(newWeight, newBias, strides, dilation, padding, groups);
  }

  @Override
  public int inputChannels() {
    return weight.size(1) * groups;
  }

  @Override
  public int inputChannel(int outputChannel, int slice) {
    return outputChannel / (outputChannels() / groups) * weight.size(1) + slice;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape input = inputs.get(0);
    Checks.that(
        input.channels() == inputChannels() || input.channels() == Shape.UNKNOWN,
        "input",
        "have " + inputChannels() + " channels",
        input);
    return window().slideOver(input, outputChannels());
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.convolution(this);
  }
}
