package org.dl4jquant.execute;

import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.tensor.Tensor;

/** Makes floats of a node's codes, if no step has done so before. */
record DequantizeStep(String node, ActivationFormat format) implements Step {
  @Override
  public void run(Frame frame) {
    if (frame.hasFloats(node)) {
      return;
    }
    CodeArrays codes = frame.codes(node);
    int each = codes.shape().elements();
    ChannelFormats formats = ChannelFormats.of(format, codes.shape());
    Tensor tensor = Tensor.zeros(codes.shape().withBatch(frame.batch()));
    float[] values = tensor.values();
    int[] example = frame.workspace().array("#example", each);
    for (int e = 0, to = 0; e < frame.batch(); e++) {
      codes.read(e, example, 0);
      for (int i = 0; i < each; i++, to++) {
        UniformFormat own = UniformFormat.of(formats.at(i));
        values[to] = (float) own.dequantize(example[i] + own.zeroPoint());
      }
    }
    frame.floats(node, tensor);
  }
}
