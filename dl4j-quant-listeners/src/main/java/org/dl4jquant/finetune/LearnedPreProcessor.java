package org.dl4jquant.finetune;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Quantizes what goes into a layer with steps that are learned, before another preprocessor if
 * there is one. Each pass keeps a copy of its input for the backward pass that follows; neither
 * that nor the gradient is part of equality, of clones or of what is saved. DL4J's graphs keep the
 * preprocessors that they were built with, so that steps change in place. Not thread-safe.
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class LearnedPreProcessor implements InputPreProcessor {
  private static final long serialVersionUID = 1L;

  @JsonProperty private StepGrid grid;
  @JsonProperty private final @Nullable InputPreProcessor then;
  private transient @Nullable INDArray last;
  private final GatheredGradient gathered = new GatheredGradient();

  /**
   * Creates one.
   *
   * @param then what follows on the quantized value; null for nothing
   */
  @JsonCreator
  LearnedPreProcessor(
      @JsonProperty("grid") StepGrid grid, @JsonProperty("then") @Nullable InputPreProcessor then) {
    this.grid = Objects.requireNonNull(grid, "grid");
    this.then = then;
  }

  StepGrid grid() {
    return grid;
  }

  void use(StepGrid other) {
    grid = other;
  }

  /** Returns the gradient of the steps since it was last taken, if there was a backward pass. */
  Optional<double[]> takeGradient() {
    return gathered.take();
  }

  @Override
  public INDArray preProcess(INDArray input, int batch, LayerWorkspaceMgr workspaces) {
    remember(input);
    INDArray quantized = workspaces.dup(ArrayType.ACTIVATIONS, input, input.ordering());
    grid.quantize(quantized, quantized);
    return then == null ? quantized : then.preProcess(quantized, batch, workspaces);
  }

  private void remember(INDArray input) {
    INDArray copy = last;
    if (copy == null
        || copy.dataType() != input.dataType()
        || !Arrays.equals(copy.shape(), input.shape())) {
      copy = Nd4j.createUninitializedDetached(input.dataType(), input.ordering(), input.shape());
      last = copy;
    }
    copy.assign(input);
  }

  @Override
  public INDArray backprop(INDArray output, int batch, LayerWorkspaceMgr workspaces) {
    INDArray passed = then == null ? output : then.backprop(output, batch, workspaces);
    INDArray values = last;
    if (values == null || values.length() != passed.length()) {
      return workspaces.dup(ArrayType.ACTIVATION_GRAD, passed, passed.ordering());
    }
    INDArray gradient =
        workspaces.dup(
            ArrayType.ACTIVATION_GRAD, passed.reshape(values.shape()), values.ordering());
    gathered.add(grid.gradient(values, gradient, values.size(0)));
    return gradient;
  }

  @Override
  public InputPreProcessor clone() {
    return new LearnedPreProcessor(grid, then == null ? null : then.clone());
  }

  @Override
  public InputType getOutputType(InputType input) {
    return then == null ? input : then.getOutputType(input);
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArray(INDArray mask, MaskState state, int batch) {
    return then == null ? new Pair<>(mask, state) : then.feedForwardMaskArray(mask, state, batch);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LearnedPreProcessor that
        && grid.equals(that.grid)
        && Objects.equals(then, that.then);
  }

  @Override
  public int hashCode() {
    return Objects.hash(grid, then);
  }

  @Override
  public String toString() {
    return "LearnedPreProcessor[" + grid + (then == null ? "" : ", " + then) + "]";
  }
}
