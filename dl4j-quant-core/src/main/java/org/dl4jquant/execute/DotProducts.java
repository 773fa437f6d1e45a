package org.dl4jquant.execute;

/**
 * Products of a matrix of patches (rows) with a matrix of weights (rows), both contiguous.
 *
 * <p>Four weight rows meet one patch at once; the compiler makes vector instructions of the loops.
 */
final class DotProducts {
  private DotProducts() {}

  /**
   * Sets {@code sums[row * stride + offset + j] = bias[offset + j] + patch(row) . weights(j)}.
   * Exact if the caller has proved that no sum, partial ones included, leaves 32 bits.
   */
  static void multiply(
      int[] patches,
      int from,
      int rows,
      int length,
      int[] weights,
      int weightFrom,
      int outputs,
      int[] bias,
      int[] sums,
      int stride,
      int offset) {
    int j = 0;
    for (; j + 3 < outputs; j += 4) {
      int w = weightFrom + j * length;
      for (int r = 0; r < rows; r++) {
        int to = r * stride + offset + j;
        System.arraycopy(bias, offset + j, sums, to, 4);
        four(patches, from + r * length, weights, w, length, sums, to);
      }
    }
    for (; j < outputs; j++) {
      int w = weightFrom + j * length;
      for (int r = 0; r < rows; r++) {
        sums[r * stride + offset + j] =
            bias[offset + j] + one(patches, from + r * length, weights, w, length);
      }
    }
  }

  private static void four(int[] a, int from, int[] w, int first, int length, int[] sums, int to) {
    int s0 = 0;
    int s1 = 0;
    int s2 = 0;
    int s3 = 0;
    int second = first + length;
    int third = second + length;
    int fourth = third + length;
    for (int i = 0; i < length; i++) {
      int x = a[from + i];
      s0 += x * w[first + i];
      s1 += x * w[second + i];
      s2 += x * w[third + i];
      s3 += x * w[fourth + i];
    }
    sums[to] += s0;
    sums[to + 1] += s1;
    sums[to + 2] += s2;
    sums[to + 3] += s3;
  }

  private static int one(int[] a, int from, int[] w, int first, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += a[from + i] * w[first + i];
    }
    return sum;
  }

  /** Returns one product in 64 bits. */
  static long one(int[] a, int from, long[] w, int first, int length) {
    long sum = 0;
    for (int i = 0; i < length; i++) {
      sum += a[from + i] * w[first + i];
    }
    return sum;
  }
}
