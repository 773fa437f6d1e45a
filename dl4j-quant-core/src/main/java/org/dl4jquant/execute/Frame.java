package org.dl4jquant.execute;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The values of all nodes for one part of the batch; floats are tensors, channels first. Used by
 * one thread at a time, but for the tasks of {@link #forEach}.
 */
final class Frame {
  private static final long MIN_SHARED_WORK = 200_000;

  private final int firstExample;
  private final int batch;
  private final Workspace workspace;
  private final int parallelism;
  private final Map<String, Shape> shapes = new HashMap<>();
  private final Map<String, CodeArrays> codes = new HashMap<>();
  private final Map<String, Tensor> floats = new HashMap<>();

  /**
   * @param firstExample where in the whole batch this part begins
   * @param parallelism how many threads one step may use
   */
  Frame(int firstExample, int batch, Workspace workspace, int parallelism) {
    this.firstExample = firstExample;
    this.batch = batch;
    this.workspace = workspace;
    this.parallelism = parallelism;
  }

  int firstExample() {
    return firstExample;
  }

  int batch() {
    return batch;
  }

  Workspace workspace() {
    return workspace;
  }

  /** Returns into how many tasks a step of this many multiplications should be split. */
  int tasks(long work) {
    return work < MIN_SHARED_WORK ? 1 : parallelism;
  }

  /** Calls {@code task} for 0 to {@code count - 1}, perhaps on several threads. */
  void forEach(int count, long work, IntConsumer task) {
    if (count > 1 && tasks(work) > 1) {
      Parts.run(count, parallelism, task);
      return;
    }
    for (int i = 0; i < count; i++) {
      task.accept(i);
    }
  }

  Shape shape(String node) {
    return present(shapes.get(node), node);
  }

  void shape(String node, Shape shape) {
    shapes.put(node, shape);
  }

  /** Returns the codes of a node that has been computed. */
  CodeArrays codes(String node) {
    return present(codes.get(node), node);
  }

  /** Returns the arrays into which a node's codes are to be written. */
  CodeArrays newCodes(String node) {
    CodeArrays arrays = scratch(node);
    codes.put(node, arrays);
    return arrays;
  }

  /** Returns arrays of the form of a node's codes. */
  CodeArrays scratch(String node) {
    Shape shape = shape(node);
    int count = CodeArrays.count(shape, batch);
    int length = CodeArrays.length(shape, batch);
    return new CodeArrays(workspace.arrays(node, count, length), shape, batch);
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
