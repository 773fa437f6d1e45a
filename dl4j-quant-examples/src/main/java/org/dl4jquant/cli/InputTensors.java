package org.dl4jquant.cli;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arrays of DL4J as a network of this library takes them. */
final class InputTensors {
  private InputTensors() {}

  /** Returns a copy of each array by the name of its input. */
  static ImmutableMap<String, Tensor> of(List<String> names, INDArray... inputs) {
    ImmutableMap.Builder<String, Tensor> tensors = ImmutableMap.builder();
    for (int i = 0; i < names.size(); i++) {
      tensors.put(names.get(i), Tensors.of(inputs[i]));
    }
    return tensors.buildOrThrow();
  }
}
