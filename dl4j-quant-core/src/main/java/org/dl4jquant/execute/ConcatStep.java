package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.Shape;

/**
 * Joins inputs, each brought to the output's format first.
 *
 * @param axis the batch not counted
 */
record ConcatStep(
    String node, ImmutableList<String> inputs, int axis, ImmutableList<Requantization> formats)
    implements Step {
  @Override
  public void run(Frame frame) {
    CodeArrays out = frame.newCodes(node);
    int start = 0;
    for (int i = 0; i < inputs.size(); i++) {
      CodeArrays in = frame.codes(inputs.get(i));
      if (in.features()) {
        features(in, formats.get(i), out, start);
      } else if (axis == 0) {
        for (int c = 0; c < in.count(); c++) {
          formats.get(i).channel(c, in.array(c), out.array(start + c), 0, in.length());
        }
      } else {
        positions(in, formats.get(i), out, start);
      }
      start += in.shape().size(axis);
    }
  }

  private static void features(CodeArrays in, Requantization format, CodeArrays out, int start) {
    for (int e = 0; e < in.batch(); e++) {
      for (int c = 0; c < in.length(); c++) {
        out.array(e)[start + c] = format.code(in.array(e)[c], c);
      }
    }
  }

  /** Positions before the axis repeat; along it and after it they are contiguous. */
  private void positions(CodeArrays in, Requantization format, CodeArrays out, int start) {
    Shape shape = in.shape();
    int inner = in.batch();
    for (int a = axis + 1; a < shape.rank(); a++) {
      inner *= shape.size(a);
    }
    int block = shape.size(axis) * inner;
    int outBlock = out.shape().size(axis) * inner;
    for (int c = 0; c < in.count(); c++) {
      for (int i = 0; i < in.length() / block; i++) {
        int to = i * outBlock + start * inner;
        System.arraycopy(in.array(c), i * block, out.array(c), to, block);
        format.channel(c, out.array(c), out.array(c), to, to + block);
      }
    }
  }
}
