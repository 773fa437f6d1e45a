package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.dl4jquant.graph.Add;

/** A sum of inputs of one shape; other element-wise operations stay float. */
final class ElementWiseMapping implements VertexMapping {
  @Override
  public Value map(VertexScope vertex, ImmutableList<Value> inputs) {
    ElementWiseVertex.Op op = ((ElementWiseVertex) vertex.kind()).getOp();
    if (op != ElementWiseVertex.Op.Add) {
      return vertex.inFloat("its operation " + op + " is computed in float", inputs);
    }
    if (inputs.size() == 1) {
      return inputs.get(0);
    }
    ImmutableList<Value> alike = vertex.sketch().alike(inputs);
    Value first = alike.get(0);
    boolean oneShape = alike.stream().allMatch(v -> vertex.shape(first).accepts(vertex.shape(v)));
    return oneShape
        ? vertex.add(new Add(), first.layout(), alike)
        : vertex.inFloat("its inputs are of different shapes", inputs);
  }
}
