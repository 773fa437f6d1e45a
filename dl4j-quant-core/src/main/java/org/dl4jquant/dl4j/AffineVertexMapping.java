package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.Tensor;

/** A constant factor, or a constant that is added. */
final class AffineVertexMapping implements VertexMapping {
  @Override
  public Value map(VertexScope vertex, ImmutableList<Value> inputs) {
    Value input = inputs.get(0);
    int channels = vertex.shape(input).channels();
    if (channels == Shape.UNKNOWN) {
      return vertex.inFloat("the number of its channels is not known", inputs);
    }
    ChannelAffine op =
        vertex.kind() instanceof ScaleVertex scale
            ? affine(channels, scale.getScaleFactor(), 0)
            : affine(channels, 1, ((ShiftVertex) vertex.kind()).getShiftFactor());
    return vertex.add(op, input.layout(), inputs);
  }

  static ChannelAffine affine(int channels, double factor, double shift) {
    return new ChannelAffine(filled(channels, factor), filled(channels, shift));
  }

  private static Tensor filled(int length, double value) {
    float[] values = new float[length];
    Arrays.fill(values, (float) value);
    return Tensor.of(values, length);
  }
}
