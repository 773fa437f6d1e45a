package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;

/** Some consecutive channels, cut out as rows of an image with one channel. */
final class SubsetMapping implements VertexMapping {
  @Override
  public Value map(VertexScope vertex, ImmutableList<Value> inputs) {
    SubsetVertex kind = (SubsetVertex) vertex.kind();
    Value input = vertex.asInDl4j(inputs.get(0));
    Shape shape = vertex.shape(input);
    if (input.has(Layout.FOLDED) || !shape.known()) {
      return vertex.inFloat("the shape of its input is not known", inputs);
    }
    int rows = shape.channels();
    int width = shape.elements() / rows;
    int kept = kind.getTo() - kind.getFrom() + 1;
    Value image = vertex.add("rows", new Reshape(Shape.of(1, rows, width)), input.layout(), input);
    Crop cut = new Crop(new Padding.Explicit(kind.getFrom(), 0, rows - 1 - kind.getTo(), 0));
    Value some = vertex.add("cut", cut, input.layout(), image);
    int[] sizes = shape.sizes().toArray();
    sizes[0] = kept;
    return vertex.add(new Reshape(Shape.of(sizes)), input.layout(), ImmutableList.of(some));
  }
}
