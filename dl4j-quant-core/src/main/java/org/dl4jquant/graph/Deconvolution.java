package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * A transposed convolution: input position i adds its value times kernel element k to output
 * position {@code i * stride + k * dilation - padding}.
 *
 * <p>With explicit padding the output has {@code (size - 1) * stride + reach - padding} positions,
 * where reach is {@code (kernel - 1) * dilation + 1}; with {@link Padding#SAME} it has {@code size
 * * stride}, and half of what the reach exceeds the stride by is cut off in front, rounded down.
 *
 * @param weight {@code [outputs, inputs, kernel height, kernel width]}, output channels first
 * @param bias {@code [outputs]}
 * @param padding explicit or {@link Padding#SAME}
 */
public record Deconvolution(
    Tensor weight, Tensor bias, Extent strides, Extent dilation, Padding padding)
    implements Weighted {
  public Deconvolution {
    Weighted.check(weight, bias, 4);
    Checks.that(!padding.equals(Padding.CAUSAL), "padding", "be explicit or SAME", "Causal");
  }

  /** Returns the kernel with strides, dilation and padding. */
  public Window window() {
    return new Window(new Extent(weight.size(2), weight.size(3)), strides, dilation, padding);
  }

  @Override
  public Deconvolution withParameters(Tensor newWeight, Tensor newBias) {
    return new Deconvolution(newWeight, newBias, strides, dilation, padding);
  }

  @Override
  public int inputChannels() {
    return weight.size(1);
  }

  @Override
  public int inputChannel(int outputChannel, int slice) {
    return slice;
  }

  /** Returns how many rows are cut off the top and columns off the left. */
  public Padding.Explicit cut() {
    if (padding instanceof Padding.Explicit explicit) {
      return explicit;
    }
    int vertical = Math.max(0, window().reachHeight() - strides.height());
    int horizontal = Math.max(0, window().reachWidth() - strides.width());
    int top = vertical / 2;
    int left = horizontal / 2;
    return new Padding.Explicit(top, left, vertical - top, horizontal - left);
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape input = inputs.get(0);
    Checks.that(
        (input.channels() == inputChannels() || input.channels() == Shape.UNKNOWN)
            && input.rank() >= 2
            && input.rank() <= 3,
        "input",
        "be [C, T] or [C, H, W] with " + inputChannels() + " channels",
        input);
    Padding.Explicit cut = cut();
    int height =
        outputs(input.height(), strides.height(), window().reachHeight(), cut.top() + cut.bottom());
    int width =
        outputs(input.width(), strides.width(), window().reachWidth(), cut.left() + cut.right());
    return input.withSpatial(outputChannels(), height, width);
  }

  private int outputs(int size, int stride, int reach, int cut) {
    if (size == Shape.UNKNOWN) {
      return size;
    }
    int outputs = padding.equals(Padding.SAME) ? size * stride : (size - 1) * stride + reach - cut;
    Checks.that(outputs >= 1, "padding", "leave at least one output", cut);
    return outputs;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.deconvolution(this);
  }
}
