package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableMap;
import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.activations.IActivation;

/** What a float function of a graph runs of a DL4J network, so that others can write it anew. */
public sealed interface FloatPart {
  /**
   * Returns the part that a function runs.
   *
   * @return empty for a function that {@link GraphReader} did not make
   */
  static Optional<FloatPart> of(FloatFunction function) {
    if (function.kernel() instanceof ArrayKernel kernel) {
      return Optional.of(kernel.part());
    }
    return function.kernel() instanceof TimeKernel time
        ? Optional.of(new Time(time))
        : Optional.empty();
  }

  /**
   * Returns whether the function gets the steps of a sequence on the axis after the batch, while
   * the part takes all steps of all examples as one batch.
   */
  static boolean perStep(FloatFunction function) {
    return function.kernel() instanceof ArrayKernel kernel && kernel.folded();
  }

  /**
   * A layer.
   *
   * @param name of the layer in its network
   * @param configuration wrappers that only concern training removed
   * @param parameters by DL4J's keys, in DL4J's shapes; copies
   */
  record OfLayer(
      String name,
      org.deeplearning4j.nn.conf.layers.Layer configuration,
      ImmutableMap<String, Tensor> parameters)
      implements FloatPart {}

  /**
   * A vertex of a ComputationGraph that is not a layer.
   *
   * @param configuration without the wrapper that only concerns training
   */
  record OfVertex(GraphVertex configuration) implements FloatPart {}

  /** An activation function. */
  record OfActivation(IActivation activation) implements FloatPart {}

  /** A preprocessor. */
  record OfPreprocessor(InputPreProcessor preprocessor) implements FloatPart {}

  /** What a vertex does to the steps of a sequence. */
  record Time(TimeKernel kernel) implements FloatPart {}
}
