package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;

/**
 * Chooses the way in which a weighted operation is computed, by the proved width of its sums. All
 * ways give the same integers.
 */
final class WeightedPlan {
  private final String node;
  private final String input;
  private final Weighted op;
  private final QuantizedWeights weights;
  private final AccumulatorBounds bounds;
  private final Rounding rounding;

  WeightedPlan(
      String node,
      String input,
      Weighted op,
      QuantizedWeights weights,
      ImmutableList<UniformFormat> inputs,
      Rounding rounding) {
    this.node = node;
    this.input = input;
    this.op = op;
    this.weights = weights;
    this.rounding = rounding;
    this.bounds = AccumulatorBounds.of(node, op, weights, inputs);
  }

  int bits() {
    return bounds.bits();
  }

  Step step(SumSink sink) {
    boolean ints = bits() <= Integer.SIZE && !bounds.shiftsRight();
    if (op instanceof ChannelAffine) {
      return ints
          ? new AffineStep(node, input, transposed()[0], intBias(), sink)
          : longAffine(sink);
    }
    if (op instanceof Dense) {
      return ints
          ? new DenseStep(node, input, transposed(), intBias(), sink)
          : new LongDenseStep(
              node, input, longWeights(), weights.bias().toArray(), right(), rounding, sink);
    }
    ConvolutionKernel kernel =
        ints
            ? new ConvolutionKernel.Ints(intWeights(), intBias())
            : new ConvolutionKernel.Longs(longWeights(), weights.bias(), right(), rounding);
    return new ConvolutionStep(node, input, op, kernel, sink);
  }

  private Step longAffine(SumSink sink) {
    int channels = op.outputChannels();
    long[] factors = new long[channels];
    int[] shifts = new int[channels];
    long[][] weight = longWeights();
    int[][] right = right();
    for (int c = 0; c < channels; c++) {
      factors[c] = weight[c][0];
      shifts[c] = right[c][0];
    }
    return new LongAffineStep(
        node, input, factors, shifts, rounding, weights.bias().toArray(), sink);
  }

  /** Returns the weights per output channel, shifted left onto the grid of the sum. */
  private int[][] intWeights() {
    int[] codes = weights.weight().codes();
    int[][] arranged = new int[op.outputChannels()][length()];
    for (int i = 0; i < codes.length; i++) {
      arranged[i / length()][i % length()] = codes[i] << bounds.shift(i / area());
    }
    return arranged;
  }

  /** Returns the weights per kernel element, shifted left onto the grid of the sum. */
  private int[][] transposed() {
    int[] codes = weights.weight().codes();
    int[][] arranged = new int[length()][op.outputChannels()];
    for (int i = 0; i < codes.length; i++) {
      arranged[i % length()][i / length()] = codes[i] << bounds.shift(i / area());
    }
    return arranged;
  }

  /** Returns the weights per output channel, shifted left where the grid of the sum is finer. */
  private long[][] longWeights() {
    int[] codes = weights.weight().codes();
    long[][] arranged = new long[op.outputChannels()][length()];
    for (int i = 0; i < codes.length; i++) {
      int left = Math.max(0, bounds.shift(i / area()));
      arranged[i / length()][i % length()] = (long) codes[i] << left;
    }
    return arranged;
  }

  /** Returns the shifts to the right where the grid of the sum is coarser, else 0. */
  private int[][] right() {
    int[][] right = new int[op.outputChannels()][op.slices()];
    for (int s = 0; s < op.outputChannels() * op.slices(); s++) {
      right[s / op.slices()][s % op.slices()] = Math.max(0, -bounds.shift(s));
    }
    return right;
  }

  private int[] intBias() {
    return weights.bias().stream().mapToInt(Math::toIntExact).toArray();
  }

  private int area() {
    return length() / op.slices();
  }

  private int length() {
    return op.weight().length() / op.outputChannels();
  }
}
