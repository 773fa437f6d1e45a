package org.dl4jquant.dl4j;

import com.google.common.primitives.Ints;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One parameter of a network.
 *
 * @param layer the name of its layer
 * @param key DL4J's key within the layer, such as {@code W}
 * @param value the live array: a write to it changes the network
 * @param layout what it is
 */
public record Dl4jParameter(String layer, String key, INDArray value, ParameterLayout layout) {
  /** Returns a name that is unique in the network, {@code layer/key}. */
  public String name() {
    return layer + "/" + key;
  }

  /** Returns whether it is a weight or a recurrent weight. */
  public boolean isWeight() {
    return layout.role() == ParameterRole.WEIGHT;
  }

  /** Returns a copy of the elements, in the shape of the layout; doubles are rounded to floats. */
  public Tensor tensor() {
    return Tensors.of(value).reshape(Ints.toArray(layout.shape()));
  }

  /**
   * Checks that a weight or bias is finite once rounded to floats, and that any other parameter is
   * not NaN: the logarithm of a deviation of 0 is infinite, and rightly so.
   *
   * @throws IllegalArgumentException if it is not; the message names the parameter and its layer
   */
  public void requireFinite() {
    boolean mayBeInfinite =
        layout.role() != ParameterRole.WEIGHT && layout.role() != ParameterRole.BIAS;
    int broken = 0;
    for (float element : Tensors.of(value).values()) {
      broken += Float.isFinite(element) || (mayBeInfinite && !Float.isNaN(element)) ? 0 : 1;
    }
    Checks.that(
        broken == 0,
        "parameter " + key + " of layer " + layer,
        "hold only finite numbers",
        broken + " that are NaN or infinite");
  }

  /**
   * Overwrites the live array with the elements of a tensor in the shape of the layout; axes of
   * size 1 do not matter.
   */
  public void assign(Tensor tensor) {
    Checks.that(
        Tensors.sameBesideOnes(tensor.shape(), Ints.toArray(layout.shape())),
        "tensor for " + name(),
        "have shape " + layout.shape(),
        tensor);
    Tensors.copyInto(tensor.reshape(Tensors.shape(value)), value);
  }
}
