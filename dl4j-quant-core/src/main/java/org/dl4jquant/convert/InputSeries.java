package org.dl4jquant.convert;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.dl4jquant.execute.InputPatches;
import org.dl4jquant.tensor.Tensor;

/**
 * What some inputs of a layer's sums were at sampled positions: a series of values per input.
 *
 * <p>Immutable and thread-safe.
 */
final class InputSeries {
  private static final int LANES = 4;

  private final float[][] values;

  private InputSeries(float[][] values) {
    this.values = values;
  }

  /**
   * Samples a value evenly over examples and positions.
   *
   * @param group of output channels
   * @param most how many samples are taken at most
   */
  static InputSeries of(InputPatches patches, Tensor value, int group, int most) {
    int examples = value.size(0);
    int positions = patches.positions();
    long all = (long) examples * positions;
    int stride = (int) Math.max(1, (all + most - 1) / most);
    int count = (int) ((all + stride - 1) / stride);
    float[][] series = new float[patches.length()][count];
    float[] matrix = new float[patches.length() * positions];
    int next = 0;
    for (int e = 0; e < examples; e++) {
      patches.copy(value.values(), e, group, matrix, positions, 0);
      int first = (int) Math.floorMod(-(long) e * positions, (long) stride);
      for (int p = first; p < positions; p += stride) {
        for (int i = 0; i < series.length; i++) {
          series[i][next] = matrix[i * positions + p];
        }
        next++;
      }
    }
    return new InputSeries(series);
  }

  int inputs() {
    return values.length;
  }

  int samples() {
    return values[0].length;
  }

  /** Returns the mean of every input. */
  double[] means() {
    double[] means = new double[values.length];
    for (int i = 0; i < means.length; i++) {
      double sum = 0;
      for (float value : values[i]) {
        sum += value;
      }
      means[i] = sum / values[i].length;
    }
    return means;
  }

  /** Returns these values less a constant per input. */
  InputSeries less(double[] constants) {
    float[][] centered = new float[values.length][samples()];
    for (int i = 0; i < centered.length; i++) {
      for (int s = 0; s < centered[i].length; s++) {
        centered[i][s] = (float) (values[i][s] - constants[i]);
      }
    }
    return new InputSeries(centered);
  }

  /** Returns the inputs {@code from} to, excluded, {@code to}. */
  InputSeries part(int from, int to) {
    return new InputSeries(Arrays.copyOfRange(values, from, to));
  }

  /** Returns the mean products of every input, the first index, with those of another series. */
  double[][] products(InputSeries other) {
    double[][] products = new double[values.length][other.values.length];
    IntStream.range(0, values.length)
        .parallel()
        .forEach(
            i -> {
              for (int j = 0; j < other.values.length; j++) {
                products[i][j] = product(values[i], other.values[j]) / samples();
              }
            });
    return products;
  }

  /** Returns the mean products of all pairs. */
  double[][] products() {
    int count = values.length;
    double[][] products = new double[count][count];
    IntStream.range(0, count)
        .parallel()
        .forEach(
            i -> {
              for (int j = 0; j <= i; j++) {
                products[i][j] = product(values[i], values[j]) / samples();
              }
            });
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < i; j++) {
        products[j][i] = products[i][j];
      }
    }
    return products;
  }

  private static double product(float[] a, float[] b) {
    double first = 0;
    double second = 0;
    double third = 0;
    double fourth = 0;
    int s = 0;
    for (; s + LANES <= a.length; s += LANES) {
      first += (double) a[s] * b[s];
      second += (double) a[s + 1] * b[s + 1];
      third += (double) a[s + 2] * b[s + 2];
      fourth += (double) a[s + 3] * b[s + 3];
    }
    for (; s < a.length; s++) {
      first += (double) a[s] * b[s];
    }
    return first + second + third + fourth;
  }
}
