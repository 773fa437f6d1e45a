package org.dl4jquant.dl4j;

import com.google.common.primitives.ImmutableIntArray;
import java.nio.FloatBuffer;
import java.util.Optional;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.GridLevels;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Replaces numbers by the levels that they become on a grid. Immutable and thread-safe. */
final class LevelLoop {
  private static final int BLOCK = 2048;

  private final double scale;
  private final float[] values; // by the code of the grid

  private LevelLoop(double scale, float[] values) {
    this.scale = scale;
    this.values = values;
  }

  static LevelLoop of(GridLevels levels) {
    FixedPointFormat grid = levels.grid();
    ImmutableIntArray table = levels.table();
    float[] values = new float[table.length()];
    for (int code = 0; code < values.length; code++) {
      values[code] = (float) grid.dequantize(table.get(code));
    }
    return new LevelLoop(1 / grid.scale(), values);
  }

  /** Overwrites an array of any floating-point type and returns it; NaN stays NaN. */
  INDArray roundInPlace(INDArray array) {
    Optional<HostFloats> memory = HostFloats.of(array);
    if (memory.isPresent()) {
      round(memory.get().buffer());
      return array;
    }
    double[] all = array.dup('c').data().asDouble();
    for (int i = 0; i < all.length; i++) {
      all[i] = level(all[i]);
    }
    return array.assign(Nd4j.create(all, array.shape(), 'c').castTo(array.dataType()));
  }

  private void round(FloatBuffer memory) {
    FloatBuffer in = memory.duplicate();
    in.clear();
    FloatBuffer out = memory.duplicate();
    out.clear();
    float[] block = new float[BLOCK];
    while (in.hasRemaining()) {
      int count = Math.min(BLOCK, in.remaining());
      in.get(block, 0, count);
      for (int i = 0; i < count; i++) {
        block[i] = (float) level(block[i]);
      }
      out.put(block, 0, count);
    }
  }

  /** Codes as {@link FixedPointFormat#quantize} has them; a float times the step is exact. */
  private double level(double value) {
    double code = Math.max(0, Math.min(values.length - 1.0, Math.rint(value * scale)));
    return Double.isNaN(code) ? value : values[(int) code];
  }

  /**
   * Replaces each of {@code values} by the gradient in the same place where the value lies strictly
   * between {@code lowest} and {@code highest}, and by 0 elsewhere.
   */
  static void gradients(FloatBuffer values, FloatBuffer gradients, double lowest, double highest) {
    FloatBuffer x = values.duplicate();
    x.clear();
    FloatBuffer source = gradients.duplicate();
    source.clear();
    for (int i = 0; i < x.limit(); i++) {
      float value = x.get(i);
      x.put(i, value > lowest && value < highest ? source.get(i) : 0);
    }
  }
}
