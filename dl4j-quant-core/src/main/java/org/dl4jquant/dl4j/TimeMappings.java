package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Upsample;

/** Vertices that pick, repeat or reverse the steps of a sequence. */
final class TimeMappings {
  private static final String UNKNOWN = "the length of its sequence is not known";

  private TimeMappings() {}

  static Value last(VertexScope vertex, ImmutableList<Value> inputs) {
    Value input = vertex.asInDl4j(inputs.get(0));
    Shape shape = vertex.shape(input);
    if (!shape.known()) {
      return vertex.inFloat(UNKNOWN, TimeKernel.LAST, ImmutableList.of(input));
    }
    Crop cut = new Crop(new Padding.Explicit(0, shape.width() - 1, 0, 0));
    Value step = vertex.add("last", cut, input.layout(), input);
    return vertex.add(new Flatten(), input.layout(), ImmutableList.of(step));
  }

  static Value duplicate(VertexScope vertex, ImmutableList<Value> inputs) {
    Value input = inputs.get(0);
    String source = ((DuplicateToTimeSeriesVertex) vertex.kind()).getInputName();
    Value sequence = new Value(source, Layout.AS_IN_DL4J);
    int time = vertex.shape(sequence).width();
    if (time == Shape.UNKNOWN) {
      return vertex.inFloat(UNKNOWN, TimeKernel.DUPLICATE, ImmutableList.of(input, sequence));
    }
    Shape one = Shape.of(vertex.shape(input).channels(), 1);
    Value once = vertex.add("once", new Reshape(one), input.layout(), input);
    return vertex.add(new Upsample(new Extent(1, time)), input.layout(), ImmutableList.of(once));
  }

  static Value reverse(VertexScope vertex, ImmutableList<Value> inputs) {
    Value input = vertex.asInDl4j(inputs.get(0));
    return vertex.inFloat(
        "reversing time has no integer form", TimeKernel.REVERSE, ImmutableList.of(input));
  }
}
