package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;

/** Vertices that give the same elements, or fewer, in another shape. */
final class ShapeMappings {
  private ShapeMappings() {}

  static Value preprocessor(VertexScope vertex, ImmutableList<Value> inputs) {
    return Preprocessors.draw(
        vertex.sketch(),
        vertex.name(),
        ((PreprocessorVertex) vertex.kind()).getPreProcessor(),
        inputs.get(0));
  }

  static Value reshape(VertexScope vertex, ImmutableList<Value> inputs) {
    ReshapeVertex kind = (ReshapeVertex) vertex.kind();
    int[] sizes = kind.getNewShape();
    Value input = vertex.asInDl4j(inputs.get(0));
    boolean plain = kind.getReshapeOrder() == 'c' && sizes.length > 1 && sizes[0] == -1;
    for (int axis = 1; axis < sizes.length; axis++) {
      plain &= sizes[axis] > 0;
    }
    return plain && !input.perStep()
        ? vertex.add(new Reshape(Shape.ofBatch(sizes)), input.layout(), ImmutableList.of(input))
        : vertex.inFloat("its new shape counts the batch", inputs);
  }

  /** Drops the first row and column, as models from Caffe need it. */
  static Value poolHelper(VertexScope vertex, ImmutableList<Value> inputs) {
    Value input = vertex.asInDl4j(inputs.get(0));
    return input.perStep()
        ? vertex.inFloat(LayerMapping.PER_STEP, inputs)
        : vertex.add(
            new Crop(new Padding.Explicit(1, 1, 0, 0)), input.layout(), ImmutableList.of(input));
  }
}
