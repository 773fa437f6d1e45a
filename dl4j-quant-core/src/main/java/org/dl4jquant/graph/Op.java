package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/**
 * What a node computes. A closed set of immutable records; whoever must treat each kind differently
 * implements {@link OpVisitor}.
 */
public sealed interface Op
    permits Input,
        Weighted,
        Activation,
        MaxPool,
        AveragePool,
        GlobalPool,
        ZeroPad,
        Crop,
        Upsample,
        Flatten,
        Reshape,
        Permute,
        Add,
        Concat,
        Softmax,
        FloatFunction {
  /** Returns the name of the operation, for reports and messages. */
  default String kind() {
    return getClass().getSimpleName();
  }

  /** Returns true if the operation takes this number of inputs. */
  default boolean takes(int inputs) {
    return inputs == 1;
  }

  /**
   * Returns the shape of the output, batch excluded. Unknown sizes in give unknown sizes out.
   *
   * @throws IllegalArgumentException if the operation does not take these shapes
   */
  Shape outputShape(ImmutableList<Shape> inputs);

  /**
   * Returns true if multiplying an input channel by a positive factor multiplies the output channel
   * of the same number (after {@link Flatten}: the features made of that channel) by the same
   * factor, and changes nothing else.
   */
  default boolean homogeneous() {
    return false;
  }

  /**
   * Returns true if every output element is an input element or zero, so that codes pass through
   * unchanged and the output has the input's format.
   */
  default boolean keepsCodes() {
    return false;
  }

  /** Calls the visitor's method of this kind. */
  <R> R accept(OpVisitor<R> visitor);
}
