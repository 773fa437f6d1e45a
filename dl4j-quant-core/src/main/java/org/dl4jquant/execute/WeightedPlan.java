package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Convolution;
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
      ImmutableList<FixedPointFormat> inputs,
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
      return affine(sink);
    }
    if (ints && op instanceof Convolution convolution && convolution.depthwise()) {
      return new DepthwiseStep(node, input, convolution, tapMajor(), intBias(), sink);
    }
    return new MatrixStep(node, input, op, ints ? ints() : longs(), sink);
  }

  private SumKernel ints() {
    int[] codes = weights.weight().codes();
    int[] arranged = new int[codes.length];
    for (int i = 0; i < codes.length; i++) {
      arranged[patchMajor(i)] = codes[i] << bounds.shift(i / area());
    }
    return new SumKernel.Ints(arranged, intBias(), groups(), length());
  }

  private SumKernel longs() {
    int[] codes = weights.weight().codes();
    long[] arranged = new long[codes.length];
    long[] bias = weights.bias().toArray();
    for (int i = 0; i < codes.length; i++) {
      int shift = bounds.shiftsRight() ? 0 : bounds.shift(i / area());
      arranged[patchMajor(i)] = (long) codes[i] << shift;
    }
    if (!bounds.shiftsRight()) {
      return new SumKernel.Longs(arranged, bias, groups(), length());
    }
    return new SumKernel.Slices(
        arranged, bias, groups(), length(), op.slices(), shifts(), rounding);
  }

  private int[] shifts() {
    int[] shifts = new int[op.outputChannels() * op.slices()];
    for (int s = 0; s < shifts.length; s++) {
      shifts[s] = bounds.shift(s);
    }
    return shifts;
  }

  private Step affine(SumSink sink) {
    int[] codes = weights.weight().codes();
    long[] factors = new long[codes.length];
    int[] right = new int[codes.length];
    for (int c = 0; c < codes.length; c++) {
      factors[c] = (long) codes[c] << Math.max(0, bounds.shift(c));
      right[c] = Math.max(0, -bounds.shift(c));
    }
    return new AffineStep(node, input, factors, right, rounding, weights.bias().toArray(), sink);
  }

  /** Returns the weights as {@code [kernel element][output channel]}. */
  private int[] tapMajor() {
    int[] codes = weights.weight().codes();
    int[] arranged = new int[codes.length];
    for (int i = 0; i < codes.length; i++) {
      arranged[i % area() * op.outputChannels() + i / area()] =
          codes[i] << bounds.shift(i / area());
    }
    return arranged;
  }

  private int[] intBias() {
    return weights.bias().stream().mapToInt(Math::toIntExact).toArray();
  }

  /** Weights lie as [output][slice][element]; patches as [element][slice]. */
  private int patchMajor(int i) {
    int element = i % area();
    int slice = i / area() % op.slices();
    return i / length() * length() + element * op.slices() + slice;
  }

  private int area() {
    return length() / op.slices();
  }

  private int length() {
    return op.weight().length() / op.outputChannels();
  }

  private int groups() {
    return op instanceof Convolution convolution ? convolution.groups() : 1;
  }
}
