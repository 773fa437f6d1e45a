package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.Tensor;

/** Computes a node in float. Its inputs have been dequantized by steps before it. */
record FloatStep(Node node) implements Step {
  @Override
  public void run(Frame frame) {
    ImmutableList<Tensor> inputs =
        node.inputs().stream().map(frame::floats).collect(toImmutableList());
    Shape shape = frame.shape(node.name());
    Tensor value = node.op().accept(new FloatOps(inputs, shape));
    if (!shape.accepts(Shape.ofBatch(value.shape())) || value.size(0) != frame.batch()) {
      throw new IllegalStateException(
          "%s '%s' gave %s for a batch of %d of shape %s"
              .formatted(node.op().kind(), node.name(), value, frame.batch(), shape));
    }
    frame.floats(node.name(), value);
  }
}
