package org.dl4jquant.cli;

import java.util.Locale;

/** What computes the outputs of a network. */
enum Engine {
  /** DL4J, in float. */
  DL4J,

  /** This library, in integers. */
  INTEGER,

  /** ONNX Runtime. */
  ONNX;

  /**
   * Returns what computes the logits of an output of a network.
   *
   * @throws CommandFailedException if it cannot compute this one
   */
  Classifier classifier(ModelFile file, NetworkOutput output) {
    return switch (this) {
      case DL4J -> Classifier.dl4j(file.source(), file.network(), file.runnable(), output.index());
      case INTEGER -> Classifier.integers(file.source(), file.integers(), output.index());
      case ONNX ->
          Classifier.onnx(
              file.source(), file.network(), OnnxModels.of(file).toByteArray(), output.index());
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
