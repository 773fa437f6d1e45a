package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;

/**
 * The proof that no sum overflows, from the actual weights: |sum| is at most {@code sum |w| *
 * max|a| + |bias|} on the accumulator's grid, and so is every partial sum in any order.
 */
final class AccumulatorBounds {
  private static final int MAX_BITS = 63;

  private final int[] shifts;
  private final int bits;
  private final boolean shiftsRight;

  private AccumulatorBounds(int[] shifts, int bits, boolean shiftsRight) {
    this.shifts = shifts;
    this.bits = bits;
    this.shiftsRight = shiftsRight;
  }

  static AccumulatorBounds of(
      String node, Weighted op, QuantizedWeights weights, ImmutableList<UniformFormat> inputs) {
    requireFits(weights.accumulator(), op, weights, inputs);
    int[] codes = weights.weight().codes();
    int slices = op.slices();
    int area = codes.length / (op.outputChannels() * slices);
    int[] shifts = new int[op.outputChannels() * slices];
    boolean right = false;
    long widest = 0;
    for (int j = 0; j < op.outputChannels(); j++) {
      Bound bound = new Bound(node, weights.bias().get(j));
      for (int s = 0; s < slices; s++) {
        UniformFormat input = inputs.get(op.inputChannel(j, s));
        long magnitude = 0;
        int index = j * slices + s;
        for (int i = index * area; i < (index + 1) * area; i++) {
          magnitude += Math.abs((long) codes[i]);
        }
        if (magnitude != 0) {
          shifts[index] = shift(weights, j, s, input);
          right |= shifts[index] < 0;
          bound.add(magnitude, maxAbs(input), shifts[index]);
        }
      }
      widest = Math.max(widest, bound.value);
    }
    return new AccumulatorBounds(shifts, bits(widest), right);
  }

  /** Products of affine codes have one scale, which is that of their sum. */
  private static void requireFits(
      AccumulatorFormat sums,
      Weighted op,
      QuantizedWeights weights,
      ImmutableList<UniformFormat> inputs) {
    for (int j = 0; sums instanceof AccumulatorFormat.Affine && j < sums.channels(); j++) {
      for (int s = 0; s < op.slices(); s++) {
        UniformFormat weight = UniformFormat.of(weights.sliceFormat(j, s));
        float scale = (float) inputs.get(op.inputChannel(j, s)).step() * (float) weight.step();
        Checks.that(
            scale == sums.scale(j) && weight.zeroPoint() == 0,
            "products of channel " + j,
            "have the scale of their sum, " + sums.scale(j),
            weight + " times " + inputs.get(op.inputChannel(j, s)));
      }
    }
  }

  private static int shift(QuantizedWeights weights, int j, int slice, UniformFormat input) {
    if (weights.accumulator() instanceof AccumulatorFormat.FixedPoint grid) {
      FixedPointFormat weight = fixedPoint(weights.sliceFormat(j, slice));
      int own = fixedPoint(input).fractionalLength() + weight.fractionalLength();
      return grid.fractionalLengths().get(j) - own;
    }
    return 0;
  }

  /** Returns the bits of two's complement that hold {@code -bound} to {@code bound}. */
  static int bits(long bound) {
    return Long.SIZE + 1 - Long.numberOfLeadingZeros(bound);
  }

  static long maxAbs(UniformFormat format) {
    return Math.max(format.maxCode() - format.zeroPoint(), format.zeroPoint() - format.minCode());
  }

  static FixedPointFormat fixedPoint(NumberFormat format) {
    if (format instanceof FixedPointFormat fixedPoint) {
      return fixedPoint;
    }
    throw Checks.violated("format", "be fixed point", format);
  }

  /** Returns the shift to the left that brings a kernel slice's products onto the sum's grid. */
  int shift(int slice) {
    return shifts[slice];
  }

  /** Returns the proved width of the sums of all output channels. */
  int bits() {
    return bits;
  }

  /** Returns true if some products lie on a finer grid than their sum. */
  boolean shiftsRight() {
    return shiftsRight;
  }

  /** Adds magnitudes and refuses what 63 bits do not hold. */
  static final class Bound {
    private final String node;
    private long value;

    Bound(String node, long start) {
      this.node = node;
      this.value = start == Long.MIN_VALUE ? refuse() : Math.abs(start);
    }

    void add(long magnitude, long maxAbs, int shift) {
      long raw = checked(magnitude, maxAbs);
      if (shift >= 0) {
        add(shift < MAX_BITS ? checked(raw, 1L << shift) : refuse());
      } else {
        add((-shift < MAX_BITS ? raw >> -shift : 0) + 1);
      }
    }

    void add(long magnitude) {
      value += magnitude;
      if (value < 0 || bits(value) > MAX_BITS) {
        refuse();
      }
    }

    int bits() {
      return bits(value);
    }

    private static int bits(long value) {
      return AccumulatorBounds.bits(value);
    }

    private long checked(long a, long b) {
      long high = Math.multiplyHigh(a, b);
      long low = a * b;
      return high != 0 || low < 0 || bits(low) > MAX_BITS ? refuse() : low;
    }

    private long refuse() {
      throw new IllegalArgumentException(
          "accumulator of '%s' must fit %d bits, found more: use fewer bits or closer formats"
              .formatted(node, MAX_BITS));
    }
  }
}
