package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.Shape;

/** A sum, difference or mean of inputs of one shape; other combinations stay float. */
final class ElementWiseMapping implements VertexMapping {
  @Override
  public Value map(VertexScope vertex, ImmutableList<Value> inputs) {
    ElementWiseVertex.Op op = ((ElementWiseVertex) vertex.kind()).getOp();
    if (inputs.size() == 1) {
      return inputs.get(0);
    }
    ImmutableList<Value> alike = vertex.alike(inputs);
    Value first = alike.get(0);
    if (!alike.stream().allMatch(v -> vertex.shape(first).accepts(vertex.shape(v)))) {
      return vertex.inFloat("its inputs are of different shapes", inputs);
    }
    int channels = vertex.shape(first).channels();
    if (op == ElementWiseVertex.Op.Add) {
      return vertex.add(new Add(), first.layout(), alike);
    }
    if (op == ElementWiseVertex.Op.Subtract && channels != Shape.UNKNOWN) {
      var negation = AffineVertexMapping.affine(channels, -1, 0);
      Value negative = vertex.add("negated", negation, first.layout(), alike.get(1));
      return vertex.add(new Add(), first.layout(), ImmutableList.of(first, negative));
    }
    if (op == ElementWiseVertex.Op.Average && channels != Shape.UNKNOWN) {
      Value sum = vertex.add("sum", new Add(), first.layout(), alike.toArray(new Value[0]));
      var division = AffineVertexMapping.affine(channels, 1.0 / alike.size(), 0);
      return vertex.add(division, first.layout(), ImmutableList.of(sum));
    }
    return vertex.inFloat("its operation " + op + " is computed in float", inputs);
  }
}
