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
    int[] out = frame.newCodes(node);
    Shape shape = frame.shape(node);
    int start = 0;
    for (int i = 0; i < inputs.size(); i++) {
      Shape in = frame.shape(inputs.get(i));
      place(frame, i, in, shape, start, out);
      start += in.size(axis);
    }
  }

  private void place(Frame frame, int i, Shape in, Shape shape, int start, int[] out) {
    int[] codes = frame.codes(inputs.get(i));
    int rows = frame.rows(inputs.get(i));
    if (axis == 0) {
      for (int r = 0; r < rows; r++) {
        formats.get(i).apply(codes, r * in.channels(), out, r * shape.channels() + start);
      }
      return;
    }
    // Positions before the axis repeat; along it and after it they are contiguous.
    int inner = 1;
    for (int a = axis + 1; a < shape.rank(); a++) {
      inner *= shape.size(a);
    }
    int block = in.size(axis) * inner;
    int outBlock = shape.size(axis) * inner;
    for (int r = 0; r < rows; r++) {
      int to = r / block * outBlock + start * inner + r % block;
      formats.get(i).apply(codes, r * in.channels(), out, to * shape.channels());
    }
  }
}
