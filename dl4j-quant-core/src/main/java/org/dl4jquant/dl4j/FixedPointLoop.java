package org.dl4jquant.dl4j;

import com.google.common.primitives.ImmutableIntArray;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.internal.Checks;

/**
 * Replaces floats in memory by those that fixed-point codes stand for, in one pass and without
 * allocating more than a small block. Immutable and thread-safe.
 */
public final class FixedPointLoop {
  /** Adding and subtracting it rounds a float of less than 2^22 to an integer, half to even. */
  private static final float ROUNDER = 0x1.8p23f;

  private static final int BLOCK = 2048;
  private static final int MAX_LENGTH = 100;

  private final float min;
  private final float max;
  private final float[] scales;
  private final float[] steps;

  /**
   * Creates a loop.
   *
   * @param minCode at least -2^21
   * @param maxCode at most 2^21
   * @param fractionalLengths one per channel, each between -100 and 100
   */
  public FixedPointLoop(int minCode, int maxCode, int... fractionalLengths) {
    Checks.that(supports(fractionalLengths), "fractionalLengths", "be between -100 and 100", "not");
    this.min = minCode;
    this.max = maxCode;
    this.scales = new float[fractionalLengths.length];
    this.steps = new float[fractionalLengths.length];
    for (int c = 0; c < scales.length; c++) {
      scales[c] = Math.scalb(1f, fractionalLengths[c]);
      steps[c] = Math.scalb(1f, -fractionalLengths[c]);
    }
  }

  /** Returns whether scaling by these powers of two stays within the normal floats. */
  public static boolean supports(int... fractionalLengths) {
    return Arrays.stream(fractionalLengths).allMatch(length -> Math.abs(length) <= MAX_LENGTH);
  }

  /** What is done to a run of elements of one channel. */
  private interface Run {
    void apply(float[] block, int from, int to, int channel);
  }

  /** Rounds to the nearest codes, ties to even ones, and saturates; NaN stays. */
  public void round(FloatBuffer values, ChannelRuns channels) {
    forEach(values, values, channels, this::round);
  }

  /** Saturates without rounding. */
  public void clip(FloatBuffer values, ChannelRuns channels) {
    forEach(values, values, channels, this::clip);
  }

  /** Writes the rounded values of {@code source} to {@code target}. */
  public void round(FloatBuffer source, FloatBuffer target, ChannelRuns channels) {
    forEach(source, target, channels, this::round);
  }

  private void round(float[] block, int from, int to, int channel) {
    float scale = scales[channel];
    float step = steps[channel];
    for (int i = from; i < to; i++) {
      float code = Math.max(min, Math.min(max, block[i] * scale));
      block[i] = ((code + ROUNDER) - ROUNDER) * step;
    }
  }

  private void clip(float[] block, int from, int to, int channel) {
    float lowest = min * steps[channel];
    float highest = max * steps[channel];
    for (int i = from; i < to; i++) {
      block[i] = Math.max(lowest, Math.min(highest, block[i]));
    }
  }

  /**
   * Replaces each of {@code values} by the element of {@code gradients} in the same place where the
   * value lies strictly between {@code lowest} and {@code highest} and within the range of its
   * codes, and by 0 elsewhere: the gradient of limiting, rounding and saturating.
   */
  void gradients(
      FloatBuffer values,
      FloatBuffer gradients,
      ChannelRuns channels,
      double lowest,
      double highest) {
    float[] other = new float[BLOCK];
    FloatBuffer source = gradients.duplicate();
    source.clear();
    float low = (float) lowest;
    float high = (float) highest;
    forEach(
        values,
        values,
        channels,
        (block, from, to, channel) -> {
          if (from == 0) {
            source.get(other, 0, Math.min(BLOCK, source.remaining()));
          }
          float bottom = min * steps[channel];
          float top = max * steps[channel];
          for (int i = from; i < to; i++) {
            float x = block[i];
            boolean inside = x > low && x < high && x >= bottom && x <= top;
            block[i] = inside ? other[i] : 0;
          }
        });
  }

  /** Returns which of the values, in the order of memory, lie outside the range of their codes. */
  BitSet outside(FloatBuffer values, ChannelRuns channels) {
    BitSet places = new BitSet(values.capacity());
    int run = channels.length();
    for (int start = 0, at = 0; start < values.capacity(); start += run, at++) {
      int channel = channels.channels().get(at % channels.channels().length());
      float bottom = min * steps[channel];
      float top = max * steps[channel];
      for (int i = start; i < start + run; i++) {
        float x = values.get(i);
        if (!(x >= bottom && x <= top)) {
          places.set(i);
        }
      }
    }
    return places;
  }

  /** Goes over blocks of memory, and over the runs of channels within each. */
  private static void forEach(
      FloatBuffer source, FloatBuffer target, ChannelRuns channels, Run run) {
    FloatBuffer in = source.duplicate();
    in.clear();
    FloatBuffer out = target.duplicate();
    out.clear();
    ImmutableIntArray order = channels.channels();
    int length = channels.length();
    float[] block = new float[BLOCK];
    int at = 0;
    int left = length;
    while (in.hasRemaining()) {
      int count = Math.min(BLOCK, in.remaining());
      in.get(block, 0, count);
      int i = 0;
      while (i < count) {
        int end = Math.min(count, i + left);
        run.apply(block, i, end, order.get(at));
        left -= end - i;
        i = end;
        if (left == 0) {
          left = length;
          at = at + 1 == order.length() ? 0 : at + 1;
        }
      }
      out.put(block, 0, count);
    }
  }
}
