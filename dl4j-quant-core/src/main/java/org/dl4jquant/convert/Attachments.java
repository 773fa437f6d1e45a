package org.dl4jquant.convert;

import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;

/**
 * What travels with a model without being quantized.
 *
 * @param normalizer for the data before the network sees them, of one input or of several
 * @param updaterState DL4J's flattened state, so that training can go on
 */
public record Attachments(Optional<Normalizer<?>> normalizer, Optional<INDArray> updaterState) {
  /** Nothing. */
  public static final Attachments NONE = new Attachments(Optional.empty(), Optional.empty());

  /** Returns these with a normalizer. */
  public Attachments withNormalizer(Normalizer<?> other) {
    return new Attachments(Optional.of(other), updaterState);
  }

  /** Returns these with the state of an updater. */
  public Attachments withUpdaterState(INDArray state) {
    return new Attachments(normalizer, Optional.of(state));
  }
}
