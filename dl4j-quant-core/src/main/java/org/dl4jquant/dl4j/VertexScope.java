package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Shape;

/**
 * One vertex of a graph that is being drawn, and the pens.
 *
 * @param vertex as it stands in the network
 * @param kind its configuration, thawed
 */
record VertexScope(
    Sketch sketch,
    ComputationGraph network,
    org.deeplearning4j.nn.graph.vertex.GraphVertex vertex,
    GraphVertex kind) {
  String name() {
    return vertex.getVertexName();
  }

  Shape shape(Value value) {
    return sketch.shape(value);
  }

  /** Adds the node that is named like the vertex. */
  Value add(Op op, Layout layout, List<Value> inputs) {
    return sketch.add(name(), op, name(), layout, inputs.stream().map(Value::node).toList());
  }

  /** Adds the node that is named like the vertex and {@code word}. */
  Value add(String word, Op op, Layout layout, Value input) {
    return sketch.add(name() + "/" + word, op, name(), layout, List.of(input.node()));
  }

  /** Adds a node that runs DL4J's own vertex. */
  Value inFloat(String reason, ImmutableList<Value> inputs) {
    return inFloat(reason, new VertexArrays(this, sketch.type()), inputs);
  }

  /** Adds a node that runs {@code function} on DL4J's arrays. */
  Value inFloat(String reason, ArrayFunction function, ImmutableList<Value> inputs) {
    ImmutableList<Value> taken = sketch.foldedAlike(inputs);
    sketch.floatReason(name(), reason);
    FloatFunction.Kernel kernel = sketch.kernel(function, taken.get(0));
    return add(
        new FloatFunction(kind.getClass().getSimpleName(), reason, kernel),
        taken.get(0).layout(),
        taken);
  }
}
