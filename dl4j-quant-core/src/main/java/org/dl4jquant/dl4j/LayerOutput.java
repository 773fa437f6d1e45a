package org.dl4jquant.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.api.MaskState;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a layer gave for one batch.
 *
 * @param value DL4J's array
 * @param mask 1 for what counts and 0 for padding, by example or by step, as DL4J sends it on to
 *     the next layer; absent if everything counts
 */
public record LayerOutput(INDArray value, Optional<INDArray> mask) {
  static Pair<INDArray, MaskState> orNone(@Nullable Pair<INDArray, MaskState> mask) {
    return mask == null ? new Pair<>() : mask;
  }

  /**
   * The mask of a layer's output, whatever its state: a recurrent layer has applied it, but leaves
   * zeros in the steps that do not count.
   */
  static Optional<INDArray> mask(Pair<INDArray, MaskState> sent) {
    return Optional.ofNullable(sent.getFirst());
  }
}
