package org.dl4jquant.execute;

import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;

/**
 * Makes codes of a node's floats. NaN is refused with the node's name; infinite values saturate.
 */
record QuantizeStep(String node, ActivationFormat format, Rounding rounding) implements Step {
  @Override
  public void run(Frame frame) {
    float[] values = frame.floats(node).values();
    int[] out = frame.newCodes(node);
    int channels = frame.shape(node).channels();
    int positions = frame.positions(node);
    ChannelFormats formats = ChannelFormats.of(format, frame.shape(node));
    for (int i = 0; i < values.length; i++) {
      if (Float.isNaN(values[i])) {
        throw Checks.violated("value of '" + node + "'", "be a number", "NaN at index " + i);
      }
      int plane = i / positions;
      int channel = plane % channels;
      NumberFormat own = formats.at(i % (channels * positions));
      int to = (plane / channels * positions + i % positions) * channels + channel;
      out[to] = (int) own.quantize(values[i], rounding);
    }
    frame.dropFloats(node);
  }
}
