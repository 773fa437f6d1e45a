package org.dl4jquant.execute;

import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.tensor.Tensor;

/** Makes floats of a node's codes, if no step has done so before. */
record DequantizeStep(String node, ActivationFormat format) implements Step {
  @Override
  public void run(Frame frame) {
    if (frame.hasFloats(node)) {
      return;
    }
    int[] codes = frame.codes(node);
    int channels = frame.shape(node).channels();
    int positions = frame.positions(node);
    ChannelFormats formats = ChannelFormats.of(format, frame.shape(node));
    Tensor tensor = Tensor.zeros(frame.shape(node).withBatch(frame.batch()));
    float[] values = tensor.values();
    for (int i = 0; i < values.length; i++) {
      int plane = i / positions;
      int channel = plane % channels;
      int from = (plane / channels * positions + i % positions) * channels + channel;
      values[i] = (float) formats.at(i % (channels * positions)).dequantize(codes[from]);
    }
    frame.floats(node, tensor);
  }
}
