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

  /** A mask that is only passed on to later layers says nothing about the value. */
  static Optional<INDArray> active(Pair<INDArray, MaskState> mask) {
    return mask.getSecond() == MaskState.Active
        ? Optional.ofNullable(mask.getFirst())
        : Optional.empty();
  }
}
