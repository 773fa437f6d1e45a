package org.dl4jquant.dl4j;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** The shape that a recurrent layer makes of a sequence. */
record RecurrentShape(Layer layer) implements UnaryOperator<Shape> {
  static boolean isRecurrent(Layer layer) {
    if (layer instanceof BaseWrapperLayer wrapper) {
      return isRecurrent(wrapper.getUnderlying());
    }
    return layer instanceof BaseRecurrentLayer || layer instanceof Bidirectional;
  }

  @Override
  public Shape apply(Shape sequence) {
    Checks.that(sequence.rank() == 2, "input", "be a sequence", sequence);
    boolean last = format(layer) == RNNFormat.NWC;
    InputType input =
        InputType.recurrent(
            sequence.size(last ? 1 : 0), sequence.size(last ? 0 : 1), format(layer));
    long[] sizes = layer.getOutputType(0, input).getShape(false);
    return Shape.of(Arrays.stream(sizes).mapToInt(Math::toIntExact).toArray());
  }

  private static RNNFormat format(Layer layer) {
    if (layer instanceof BaseWrapperLayer wrapper) {
      return format(wrapper.getUnderlying());
    }
    return layer instanceof Bidirectional both
        ? both.getRNNDataFormat()
        : ((BaseRecurrentLayer) layer).getRnnDataFormat();
  }
}
