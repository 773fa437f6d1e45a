package org.dl4jquant.dl4j;

import java.nio.FloatBuffer;
import org.dl4jquant.format.AffineParameters;

/**
 * Replaces floats in memory by those that codes of one affine format stand for, in one pass.
 * Immutable and thread-safe.
 */
final class AffineLoop {
  /** Adding and subtracting it rounds a float of less than 2^22 to an integer, half to even. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int BLOCK = 2048;

  private final float min; // counted from the zero point, as is max
  private final float max;
  private final float scale;

  /**
   * Creates a loop.
   *
   * @param format of at most 16 bits
   */
  AffineLoop(AffineParameters format) {
    this.min = format.minCode() - format.zeroPoint();
    this.max = format.maxCode() - format.zeroPoint();
    this.scale = format.scale();
  }

  /** Rounds to the nearest codes, ties to even ones, and saturates; NaN stays. */
  void round(FloatBuffer values) {
    FloatBuffer in = values.duplicate();
    in.clear();
    FloatBuffer out = values.duplicate();
    out.clear();
    float[] block = new float[BLOCK];
    while (in.hasRemaining()) {
      int count = Math.min(BLOCK, in.remaining());
      in.get(block, 0, count);
      for (int i = 0; i < count; i++) {
        float code = Math.max(min, Math.min(max, block[i] / scale));
        block[i] = ((code + ROUNDER) - ROUNDER) * scale;
      }
      out.put(block, 0, count);
    }
  }

  /** See {@link FixedPointLoop#gradients}. */
  void gradients(FloatBuffer values, FloatBuffer gradients, double lowest, double highest) {
    FloatBuffer x = values.duplicate();
    x.clear();
    FloatBuffer source = gradients.duplicate();
    source.clear();
    float bottom = min * scale;
    float top = max * scale;
    for (int i = 0; i < x.limit(); i++) {
      float value = x.get(i);
      boolean inside = value > lowest && value < highest && value >= bottom && value <= top;
      x.put(i, inside ? source.get(i) : 0);
    }
  }
}
