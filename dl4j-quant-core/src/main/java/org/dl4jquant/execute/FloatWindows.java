package org.dl4jquant.execute;

import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;

/** Sliding windows in floating point, channels first. */
final class FloatWindows {
  private FloatWindows() {}

  static float[] convolve(
      Weighted op, WindowTable table, float[] x, Shape in, Shape out, float[] y) {
    int area = table.kernelHeight() * table.kernelWidth();
    for (int i = 0; i < y.length; i++) {
      int channel = i / (out.width() * out.height()) % out.channels();
      double sum = op.bias().values()[channel];
      for (int s = 0; s < op.slices(); s++) {
        int plane = i / out.elements() * in.channels() + op.inputChannel(channel, s);
        for (int k = 0; k < area; k++) {
          int from = source(table, in, out, i, k);
          if (from >= 0) {
            double weight = op.weight().values()[(channel * op.slices() + s) * area + k];
            sum += weight * x[plane * in.width() * in.height() + from];
          }
        }
      }
      y[i] = (float) sum;
    }
    return y;
  }

  /** Returns where kernel element k of output element i lies in its channel, -1 for nowhere. */
  private static int source(WindowTable table, Shape in, Shape out, int i, int k) {
    int row = table.rows().at(i / out.width() % out.height(), k / table.kernelWidth());
    int column = table.columns().at(i % out.width(), k % table.kernelWidth());
    return row < 0 || column < 0 ? -1 : row * in.width() + column;
  }

  static float[] max(WindowTable table, float[] x, Shape in, Shape out, float[] y) {
    for (int i = 0; i < y.length; i++) {
      int plane = i / (out.width() * out.height()) * in.width() * in.height();
      float max = Float.NEGATIVE_INFINITY;
      for (int k = 0; k < table.kernelHeight() * table.kernelWidth(); k++) {
        int from = source(table, in, out, i, k);
        max = from < 0 ? max : Math.max(max, x[plane + from]);
      }
      y[i] = max == Float.NEGATIVE_INFINITY ? 0 : max;
    }
    return y;
  }

  static float[] mean(
      WindowTable table, boolean countsPadding, float[] x, Shape in, Shape out, float[] y) {
    int area = table.kernelHeight() * table.kernelWidth();
    for (int i = 0; i < y.length; i++) {
      int plane = i / (out.width() * out.height()) * in.width() * in.height();
      double sum = 0;
      int met = 0;
      for (int k = 0; k < area; k++) {
        int from = source(table, in, out, i, k);
        sum += from < 0 ? 0 : x[plane + from];
        met += from < 0 ? 0 : 1;
      }
      y[i] = (float) (sum / (countsPadding ? area : Math.max(1, met)));
    }
    return y;
  }
}
