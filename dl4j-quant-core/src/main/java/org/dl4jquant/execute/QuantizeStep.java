package org.dl4jquant.execute;

import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;

/**
 * Makes codes of a node's floats, counted from the zero point. NaN is refused with the node's name;
 * infinite values saturate.
 */
record QuantizeStep(String node, ActivationFormat format, Rounding rounding) implements Step {
  @Override
  public void run(Frame frame) {
    float[] values = frame.floats(node).values();
    CodeArrays out = frame.newCodes(node);
    int each = out.shape().elements();
    ChannelFormats formats = ChannelFormats.of(format, out.shape());
    int[] codes = frame.workspace().array("#example", each);
    for (int e = 0; e < frame.batch(); e++) {
      int start = e * each;
      requireNumbers(values, start, start + each, frame.firstExample() * (long) each);
      for (int i = 0; i < each; ) {
        int end = formats.end(i, each);
        quantize(values, start, codes, i, end, formats.at(i));
        i = end;
      }
      out.write(e, codes, 0);
    }
    frame.dropFloats(node);
  }

  private void requireNumbers(float[] values, int from, int to, long before) {
    for (int i = from; i < to; i++) {
      if (Float.isNaN(values[i])) {
        long index = before + i;
        throw Checks.violated("value of '" + node + "'", "be a number", "NaN at index " + index);
      }
    }
  }

  private void quantize(
      float[] values, int start, int[] codes, int from, int to, NumberFormat own) {
    if (own instanceof FixedPointFormat fixedPoint && rounding.equals(Rounding.HALF_EVEN)) {
      toEven(values, start, codes, from, to, fixedPoint);
      return;
    }
    long zeroPoint = UniformFormat.of(own).zeroPoint();
    for (int i = from; i < to; i++) {
      codes[i] = (int) (own.quantize(values[start + i], rounding) - zeroPoint);
    }
  }

  /** What {@link FixedPointFormat#quantize} gives; a float times the step is exact in double. */
  private static void toEven(
      float[] values, int start, int[] codes, int from, int to, FixedPointFormat format) {
    double steps = 1 / format.scale();
    double lowest = format.minCode();
    double highest = format.maxCode();
    for (int i = from; i < to; i++) {
      double rounded = Math.rint(values[start + i] * steps);
      codes[i] = (int) Math.max(lowest, Math.min(highest, rounded));
    }
  }
}
