package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Something that DL4J computes. Thread-safe, keeps no state, leaves its inputs alone. */
interface ArrayFunction {
  /** Returns the output for inputs of the network's data type, with the batch in front. */
  INDArray apply(ImmutableList<INDArray> inputs);

  /** Returns what this is part of. */
  FloatPart part();

  /** Returns the same and forgets that it was asked; some layers remember their first input. */
  default INDArray attempt(ImmutableList<INDArray> inputs) {
    return apply(inputs);
  }
}
