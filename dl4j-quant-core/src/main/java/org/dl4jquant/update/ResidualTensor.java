package org.dl4jquant.update;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.dl4jquant.internal.Checks;

/**
 * The carried weights of one parameter, and whose they are.
 *
 * @param layer the layer's name
 * @param parameter the parameter's name within the layer
 * @param shape the parameter's shape; its product is the number of weights
 * @param weights the state, in the element order of the parameter's memory
 */
public record ResidualTensor(
    String layer, String parameter, ImmutableList<Long> shape, FineWeights weights) {
  public ResidualTensor {
    Checks.that(
        shape.stream().reduce(1L, Math::multiplyExact) == weights.length(),
        "shape",
        "have " + weights.length() + " elements",
        shape);
  }

  /** Returns the tensor of this name and shape. */
  public static ResidualTensor of(
      String layer, String parameter, List<Long> shape, FineWeights weights) {
    return new ResidualTensor(layer, parameter, ImmutableList.copyOf(shape), weights);
  }

  /** Returns for example {@code dense.W [64, 10]}. */
  public String describe() {
    return layer + "." + parameter + " " + shape;
  }
}
