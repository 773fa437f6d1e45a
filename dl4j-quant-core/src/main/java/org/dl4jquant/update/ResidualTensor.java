package org.dl4jquant.update;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.List;
import org.dl4jquant.internal.Checks;

/**
 * The carried weights of one parameter, and whose they are.
 *
 * @param layer the layer's name
 * @param parameter the parameter's name within the layer
 * @param shape the parameter's shape; its product is the number of weights
 * @param weights the state, in the element order of the parameter's memory
 * @param fractionalLengths of the formats that its channels were given at the start, one per
 *     channel; empty if none were given
 */
public record ResidualTensor(
    String layer,
    String parameter,
    ImmutableList<Long> shape,
    FineWeights weights,
    ImmutableIntArray fractionalLengths) {
  public ResidualTensor {
    Checks.that(
        shape.stream().reduce(1L, Math::multiplyExact) == weights.length(),
        "shape",
        "have " + weights.length() + " elements",
        shape);
  }

  /** Returns the tensor of this name and shape, whose channels were given no formats. */
  public static ResidualTensor of(
      String layer, String parameter, List<Long> shape, FineWeights weights) {
    return new ResidualTensor(
        layer, parameter, ImmutableList.copyOf(shape), weights, ImmutableIntArray.of());
  }

  /** Returns for example {@code dense.W [64, 10]}. */
  public String describe() {
    return layer + "." + parameter + " " + shape;
  }
}
