package org.dl4jquant.execute;

import com.google.common.primitives.ImmutableLongArray;
import java.util.Arrays;
import org.dl4jquant.execute.IntProducts.Rows;
import org.dl4jquant.format.Rounding;

/** Sums the products of patches with weights; two ways to the same integers. */
sealed interface ConvolutionKernel {
  /**
   * Hands over the sums of some output channels, all of one group, for a range of columns.
   *
   * @param rows the patches of the group, one row per kernel element
   */
  void run(Rows rows, int first, int end, int from, int to, SumSink.Receiver receiver);

  /** Returns {@code sum * 2^-right}; a negative number shifts left. */
  static long shifted(long sum, int right, Rounding rounding) {
    return right > Long.SIZE - 2 ? 0 : rounding.shiftRight(sum, right);
  }

  /** 32-bit sums of 32-bit products. */
  final class Ints implements ConvolutionKernel {
    private final int[][] weights;
    private final int[] bias;

    /**
     * @param weights per output channel its kernel elements, shifted onto the grid of the sum
     */
    Ints(int[][] weights, int[] bias) {
      this.weights = weights;
      this.bias = bias;
    }

    @Override
    public void run(Rows rows, int first, int end, int from, int to, SumSink.Receiver receiver) {
      int[][] sums = receiver.sums();
      for (int j = first; j < end; j++) {
        Arrays.fill(sums[j], from, to, bias[j]);
      }
      new IntProducts(rows, weights[first].length, weights, sums).add(first, end, from, to);
      for (int j = first; j < end; j++) {
        receiver.ints(j, from, to);
      }
    }
  }

  /**
   * 64-bit sums, slice by slice: the products of one input channel are summed exactly, shifted onto
   * the grid of the sum, with rounding where that is coarser, and then added.
   */
  final class Longs implements ConvolutionKernel {
    private final long[][] weights;
    private final ImmutableLongArray bias;
    private final int[][] right;
    private final Rounding rounding;

    /**
     * @param weights per output channel its kernel elements
     * @param right the shift to the right of each output channel and slice
     */
    Longs(long[][] weights, ImmutableLongArray bias, int[][] right, Rounding rounding) {
      this.weights = weights;
      this.bias = bias;
      this.right = right;
      this.rounding = rounding;
    }

    @Override
    public void run(Rows rows, int first, int end, int from, int to, SumSink.Receiver receiver) {
      int count = to - from;
      long[][] sums = new long[end - first][count];
      long[][] slices = new long[end - first][count];
      for (int j = first; j < end; j++) {
        Arrays.fill(sums[j - first], bias.get(j));
      }
      int area = weights[first].length / right[first].length;
      for (int k = 0; k < weights[first].length; k++) {
        int[] row = rows.row(k, 0);
        for (int j = first; j < end; j++) {
          addProducts(row, from, weights[j][k], slices[j - first]);
          if (k % area == area - 1) {
            addSlice(slices[j - first], right[j][k / area], sums[j - first]);
          }
        }
      }
      for (int j = first; j < end; j++) {
        receiver.longs(j, sums[j - first], from, to);
      }
    }

    private static void addProducts(int[] row, int from, long weight, long[] slice) {
      for (int i = 0; i < slice.length; i++) {
        slice[i] += weight * row[from + i];
      }
    }

    private void addSlice(long[] slice, int shift, long[] sums) {
      for (int i = 0; i < sums.length; i++) {
        sums[i] += shift == 0 ? slice[i] : shifted(slice[i], shift, rounding);
        slice[i] = 0;
      }
    }
  }
}
