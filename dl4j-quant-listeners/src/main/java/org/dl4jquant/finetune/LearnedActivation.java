package org.dl4jquant.finetune;

import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.dl4j.FakeQuantizedActivation;
import org.dl4jquant.dl4j.FakeQuantizer;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.BaseActivationFunction;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * An activation function whose result has steps that are learned; its argument keeps its format.
 * The gradient of the steps is gathered in each backward pass until it is taken. Immutable but for
 * that: a learned step makes another one, so that clones of a network keep theirs.
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class LearnedActivation extends BaseActivationFunction {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final IActivation function;
  @JsonProperty private final @Nullable FakeQuantizer argument;
  @JsonProperty private final StepGrid grid;
  private final FakeQuantizedActivation inner;
  private final GatheredGradient gathered = new GatheredGradient();

  /**
   * Creates one.
   *
   * @param argument for what goes into the function; null to leave it
   * @param grid for what comes out of it
   */
  @JsonCreator
  LearnedActivation(
      @JsonProperty("function") IActivation function,
      @JsonProperty("argument") @Nullable FakeQuantizer argument,
      @JsonProperty("grid") StepGrid grid) {
    this.function = Objects.requireNonNull(function, "function");
    this.argument = argument;
    this.grid = Objects.requireNonNull(grid, "grid");
    this.inner = new FakeQuantizedActivation(function, argument, null);
  }

  StepGrid grid() {
    return grid;
  }

  LearnedActivation with(StepGrid other) {
    return new LearnedActivation(function, argument, other);
  }

  /** Returns the gradient of the steps since it was last taken, if there was a backward pass. */
  Optional<double[]> takeGradient() {
    return gathered.take();
  }

  @Override
  public INDArray getActivation(INDArray in, boolean training) {
    INDArray out = inner.getActivation(in, training);
    grid.quantize(out, out);
    return out;
  }

  @Override
  public Pair<INDArray, INDArray> backprop(INDArray in, INDArray epsilon) {
    assertShape(in, epsilon);
    INDArray out = inner.getActivation(in.dup(in.ordering()), true);
    INDArray gradient = epsilon.dup(out.ordering());
    gathered.add(grid.gradient(out, gradient, out.size(0)));
    return inner.backprop(in, gradient);
  }

  @Override
  public int numParams(int inputSize) {
    return function.numParams(inputSize);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LearnedActivation that
        && function.equals(that.function)
        && Objects.equals(argument, that.argument)
        && grid.equals(that.grid);
  }

  @Override
  public int hashCode() {
    return Objects.hash(function, argument, grid);
  }

  @Override
  public String toString() {
    return "LearnedActivation[%s -> %s -> %s]".formatted(argument, function, grid);
  }
}
