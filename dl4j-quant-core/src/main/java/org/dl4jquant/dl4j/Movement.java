package org.dl4jquant.dl4j;

import com.google.common.collect.Collections2;
import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.Ints;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.Tensor;

/** Recognizes a function that does nothing but permute and reshape the axes of each example. */
final class Movement {
  private static final int BATCH = 2;
  private static final int MAX_ELEMENTS = 1 << 22; // floats number them exactly

  private Movement() {}

  /**
   * Returns the operations that do the same, none for an identity; absent if the function is no
   * such movement or the shape is not known. Found out by moving the numbers of the elements.
   */
  static Optional<ImmutableList<Op>> of(FloatFunction.Kernel function, Shape input) {
    if (!input.known() || input.elements() > MAX_ELEMENTS) {
      return Optional.empty();
    }
    Tensor numbers = numbered(input);
    Tensor moved = function.apply(ImmutableList.of(numbers));
    if (moved.length() != numbers.length()) {
      return Optional.empty();
    }
    for (List<Integer> order : orders(input.rank())) {
      int[] axes = Ints.toArray(order);
      if (Arrays.equals(Axes.permuted(numbers, withBatch(axes)).values(), moved.values())) {
        return Optional.of(operations(input, Permute.of(axes), Shape.ofBatch(moved.shape())));
      }
    }
    return Optional.empty();
  }

  private static Tensor numbered(Shape shape) {
    float[] numbers = new float[BATCH * shape.elements()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    return Tensor.of(numbers, shape.withBatch(BATCH));
  }

  /** Returns all orders of the axes, the given one first. */
  private static Iterable<List<Integer>> orders(int rank) {
    return Collections2.orderedPermutations(IntStream.range(0, rank).boxed().toList());
  }

  private static int[] withBatch(int[] axes) {
    return IntStream.concat(IntStream.of(0), Arrays.stream(axes).map(axis -> axis + 1)).toArray();
  }

  private static ImmutableIntArray identity(int rank) {
    return ImmutableIntArray.copyOf(IntStream.range(0, rank));
  }

  private static ImmutableList<Op> operations(Shape input, Permute permute, Shape output) {
    ImmutableList.Builder<Op> operations = ImmutableList.builder();
    boolean inOrder = permute.axes().equals(identity(input.rank()));
    Shape permuted = input;
    if (!inOrder) {
      operations.add(permute);
      permuted = permute.outputShape(ImmutableList.of(input));
    }
    if (!permuted.equals(output)) {
      operations.add(output.rank() == 1 ? new Flatten() : new Reshape(output));
    }
    return operations.build();
  }
}
