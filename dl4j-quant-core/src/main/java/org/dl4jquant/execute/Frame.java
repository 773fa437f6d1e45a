package org.dl4jquant.execute;

import java.util.HashMap;
import java.util.Map;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The values of all nodes for one part of the batch. Codes lie as [example][position][channel];
 * floats are tensors, channels first. Used by one thread at a time.
 */
final class Frame {
  private final int batch;
  private final Map<String, Shape> shapes = new HashMap<>();
  private final Workspace workspace;
  private final Map<String, int[]> codes = new HashMap<>();
  private final Map<String, Tensor> floats = new HashMap<>();

  Frame(int batch, Workspace workspace) {
    this.batch = batch;
    this.workspace = workspace;
  }

  int batch() {
    return batch;
  }

  Workspace workspace() {
    return workspace;
  }

  Shape shape(String node) {
    return present(shapes.get(node), node);
  }

  void shape(String node, Shape shape) {
    shapes.put(node, shape);
  }

  /** Returns the number of positions of one example. */
  int positions(String node) {
    Shape shape = shape(node);
    return shape.elements() / shape.channels();
  }

  /** Returns the number of positions of all examples. */
  int rows(String node) {
    return Math.multiplyExact(batch, positions(node));
  }

  /** Returns the number of codes of all examples. */
  int length(String node) {
    return Math.multiplyExact(batch, shape(node).elements());
  }

  /** Returns the codes of a node that has been computed; the array may be longer. */
  int[] codes(String node) {
    return present(codes.get(node), node);
  }

  /** Returns the array into which a node's codes are to be written. */
  int[] newCodes(String node) {
    int[] array = workspace.ints(node, length(node));
    codes.put(node, array);
    return array;
  }

  Tensor floats(String node) {
    return present(floats.get(node), node);
  }

  boolean hasFloats(String node) {
    return floats.containsKey(node);
  }

  /** Forgets a node's floats, because its codes have taken their place. */
  void dropFloats(String node) {
    floats.remove(node);
  }

  /** Sets a node's floats and, with them, its shape. */
  void floats(String node, Tensor value) {
    shapes.put(node, Shape.ofBatch(value.shape()));
    floats.put(node, value);
  }

  private static <T> T present(@Nullable T value, String node) {
    if (value == null) {
      throw Checks.violated("node", "be computed before it is used", "'" + node + "'");
    }
    return value;
  }
}
