package org.dl4jquant.precision;

import org.dl4jquant.internal.Checks;

/**
 * An output layer, as far as its width depends on it.
 *
 * @param layer its name
 * @param classes at least 1; of a segmentation head, its channels
 * @param coupled whether softmax couples its classes; false for sigmoids and regression
 */
public record OutputHead(String layer, int classes, boolean coupled) {
  public OutputHead {
    Checks.that(!layer.isEmpty(), "layer", "not be empty", "''");
    Checks.positive("classes", classes);
  }
}
