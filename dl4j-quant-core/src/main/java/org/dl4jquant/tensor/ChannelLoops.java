package org.dl4jquant.tensor;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;

/**
 * The loops over a tensor's elements for one kind of format, in row-major order.
 *
 * <p>Every loop gives, bit for bit, what the formats give one value at a time. The caller has
 * checked lengths and that no value is NaN.
 */
abstract class ChannelLoops {
  /** Writes the code of every value. */
  abstract void quantize(float[] values, Rounding rounding, int[] codes);

  /** Writes the value of every code, rounded to float. */
  abstract void dequantize(int[] codes, float[] values);

  /** Replaces every value by the value of its code. */
  abstract void fakeQuantize(float[] values, Rounding rounding);

  /** Loops for formats of any kind: one call per element. */
  static final class AnyFormat extends ChannelLoops {
    private final ChannelRuns runs;
    private final int[] channels;
    private final NumberFormat[] formats;

    AnyFormat(ChannelRuns runs, ImmutableList<NumberFormat> formats) {
      this.runs = runs;
      this.channels = runs.channels().toArray();
      this.formats = formats.toArray(NumberFormat[]::new);
    }

    @Override
    void quantize(float[] values, Rounding rounding, int[] codes) {
      int i = 0;
      for (int repeat = 0; repeat < runs.repeats(); repeat++) {
        for (int channel : channels) {
          NumberFormat format = formats[channel];
          for (int end = i + runs.length(); i < end; i++) {
            codes[i] = (int) format.quantize(values[i], rounding);
          }
        }
      }
    }

    @Override
    void dequantize(int[] codes, float[] values) {
      int i = 0;
      for (int repeat = 0; repeat < runs.repeats(); repeat++) {
        for (int channel : channels) {
          NumberFormat format = formats[channel];
          for (int end = i + runs.length(); i < end; i++) {
            values[i] = (float) format.dequantize(codes[i]);
          }
        }
      }
    }

    @Override
    void fakeQuantize(float[] values, Rounding rounding) {
      int i = 0;
      for (int repeat = 0; repeat < runs.repeats(); repeat++) {
        for (int channel : channels) {
          NumberFormat format = formats[channel];
          for (int end = i + runs.length(); i < end; i++) {
            values[i] = (float) format.fakeQuantize(values[i], rounding);
          }
        }
      }
    }
  }
}
