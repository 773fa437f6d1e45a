package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
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
  Value add(String word, Op op, Layout layout, Value... inputs) {
    return sketch.add(
        name() + "/" + word, op, name(), layout, Arrays.stream(inputs).map(Value::node).toList());
  }

  Value asInDl4j(Value value) {
    return sketch.asInDl4j(value);
  }

  /** Returns the values in one layout. */
  ImmutableList<Value> alike(ImmutableList<Value> values) {
    return sketch.alike(values);
  }

  /** Adds a node that runs DL4J's own vertex. */
  Value inFloat(String reason, ImmutableList<Value> inputs) {
    ImmutableList<Value> taken = sketch.foldedAlike(inputs);
    return inFloat(
        reason, sketch.kernel(new VertexArrays(this, sketch.type()), taken.get(0)), taken);
  }

  /** Adds a node that stays float. */
  Value inFloat(String reason, FloatFunction.Kernel kernel, ImmutableList<Value> inputs) {
    sketch.floatReason(name(), reason);
    FloatFunction function = new FloatFunction(kind.getClass().getSimpleName(), reason, kernel);
    return add(function, inputs.get(0).layout(), inputs);
  }
}
