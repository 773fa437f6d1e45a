package org.dl4jquant.execute;

import org.dl4jquant.format.Rounding;

/** Sums the products of patches with the weights of one group; three ways to the same integers. */
sealed interface SumKernel {
  /**
   * Hands the sums of {@code rows} patches to {@code sink}.
   *
   * @param source gives the patches of a group
   */
  void run(Frame frame, Source source, int first, int rows, SumSink sink);

  /** Returns {@code sum * 2^-right}; a negative number shifts left. */
  static long shifted(long sum, int right, Rounding rounding) {
    return right > Long.SIZE - 2 ? 0 : rounding.shiftRight(sum, right);
  }

  /** Where patches come from. */
  interface Source {
    /** Returns an array in which the patches of a group start at {@link #offset}. */
    int[] patches(int group);

    int offset();
  }

  /** 32-bit sums of 32-bit products. */
  final class Ints implements SumKernel {
    private final int[] weights;
    private final int[] bias;
    private final int groups;
    private final int length;

    Ints(int[] weights, int[] bias, int groups, int length) {
      this.weights = weights;
      this.bias = bias;
      this.groups = groups;
      this.length = length;
    }

    @Override
    public void run(Frame frame, Source source, int first, int rows, SumSink sink) {
      int outputs = bias.length;
      int perGroup = outputs / groups;
      int[] sums = frame.workspace().ints("#sums", rows * outputs);
      for (int g = 0; g < groups; g++) {
        int[] patches = source.patches(g);
        DotProducts.multiply(
            patches,
            source.offset(),
            rows,
            length,
            weights,
            g * perGroup * length,
            perGroup,
            bias,
            sums,
            outputs,
            g * perGroup);
      }
      sink.accept(frame, sums, first, rows);
    }
  }

  /** 64-bit sums. */
  final class Longs implements SumKernel {
    private final long[] weights;
    private final long[] bias;
    private final int groups;
    private final int length;

    Longs(long[] weights, long[] bias, int groups, int length) {
      this.weights = weights;
      this.bias = bias;
      this.groups = groups;
      this.length = length;
    }

    @Override
    public void run(Frame frame, Source source, int first, int rows, SumSink sink) {
      int outputs = bias.length;
      int perGroup = outputs / groups;
      long[] sums = frame.workspace().longs(rows * outputs);
      for (int g = 0; g < groups; g++) {
        int[] patches = source.patches(g);
        for (int r = 0; r < rows; r++) {
          int patch = source.offset() + r * length;
          for (int j = g * perGroup; j < (g + 1) * perGroup; j++) {
            sums[r * outputs + j] =
                bias[j] + DotProducts.one(patches, patch, weights, j * length, length);
          }
        }
      }
      sink.accept(frame, sums, first, rows);
    }
  }

  /**
   * 64-bit sums, slice by slice: the products of one input channel are summed exactly, shifted onto
   * the grid of the sum, with rounding where that is coarser, and then added. Shifts are to the
   * left, per output channel and slice.
   */
  final class Slices implements SumKernel {
    private final long[] weights;
    private final long[] bias;
    private final int groups;
    private final int length;
    private final int slices;
    private final int[] shifts;
    private final Rounding rounding;

    Slices(
        long[] weights,
        long[] bias,
        int groups,
        int length,
        int slices,
        int[] shifts,
        Rounding rounding) {
      this.weights = weights;
      this.bias = bias;
      this.groups = groups;
      this.length = length;
      this.slices = slices;
      this.shifts = shifts;
      this.rounding = rounding;
    }

    @Override
    public void run(Frame frame, Source source, int first, int rows, SumSink sink) {
      int outputs = bias.length;
      int perGroup = outputs / groups;
      long[] sums = frame.workspace().longs(rows * outputs);
      for (int g = 0; g < groups; g++) {
        int[] patches = source.patches(g);
        for (int r = 0; r < rows; r++) {
          int patch = source.offset() + r * length;
          for (int j = g * perGroup; j < (g + 1) * perGroup; j++) {
            sums[r * outputs + j] = bias[j] + sum(patches, patch, j);
          }
        }
      }
      sink.accept(frame, sums, first, rows);
    }

    private long sum(int[] patches, int patch, int j) {
      long total = 0;
      for (int s = 0; s < slices; s++) {
        long sum = 0;
        for (int i = s; i < length; i += slices) {
          sum += patches[patch + i] * weights[j * length + i];
        }
        total += shifted(sum, -shifts[j * slices + s], rounding);
      }
      return total;
    }
  }
}
