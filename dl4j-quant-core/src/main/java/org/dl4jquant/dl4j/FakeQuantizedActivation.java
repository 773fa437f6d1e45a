package org.dl4jquant.dl4j;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.dl4jquant.graph.ScalarFunction;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.BaseActivationFunction;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * An activation function whose argument, result, or both are quantized and dequantized: what
 * integer inference computes, in DL4J's own arithmetic.
 *
 * <p>The gradient is that of the function, taken at the quantized argument; rounding passes it
 * straight through, and where a value saturates it is zero. A logarithmic result has the gradient
 * of the function alone: that of a ReLU passes also where a small positive value becomes zero, and
 * above the top level, as in the authors' code (US20180341857A1). Immutable and thread-safe as far
 * as the function and an observer are.
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
public final class FakeQuantizedActivation extends BaseActivationFunction {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final IActivation function;
  @JsonProperty private final @Nullable FakeQuantizer argument;
  @JsonProperty private final @Nullable FakeQuantizer result;
  private final transient @Nullable Consumer<INDArray> observer;

  /**
   * Creates one.
   *
   * @param argument for what goes into the function; null to leave it
   * @param result for what comes out of it; null to leave it
   */
  @JsonCreator
  public FakeQuantizedActivation(
      @JsonProperty("function") IActivation function,
      @JsonProperty("argument") @Nullable FakeQuantizer argument,
      @JsonProperty("result") @Nullable FakeQuantizer result) {
    this(function, argument, result, null);
  }

  private FakeQuantizedActivation(
      IActivation function,
      @Nullable FakeQuantizer argument,
      @Nullable FakeQuantizer result,
      @Nullable Consumer<INDArray> observer) {
    this.function = Objects.requireNonNull(function, "function");
    this.argument = argument;
    this.result = result;
    this.observer = observer;
  }

  /**
   * Returns one with another result's quantizer.
   *
   * @param seen is shown, in each forward pass of training, what the function gives before it is
   *     quantized: to be read at once, not written or kept. It is no part of the configuration that
   *     DL4J saves, nor of equality
   */
  public FakeQuantizedActivation withResult(FakeQuantizer other, Consumer<INDArray> seen) {
    return new FakeQuantizedActivation(function, argument, other, seen);
  }

  /** Returns the function without quantization. */
  public IActivation function() {
    return function;
  }

  /** Returns what quantizes the argument. */
  public Optional<FakeQuantizer> argument() {
    return Optional.ofNullable(argument);
  }

  /** Returns what quantizes the result. */
  public Optional<FakeQuantizer> result() {
    return Optional.ofNullable(result);
  }

  @Override
  public INDArray getActivation(INDArray in, boolean training) {
    INDArray x = quantized(argument, in);
    Optional<ScalarFunction> exact =
        result == null
            ? Optional.empty()
            : Activations.function(function).filter(known -> !known.clips());
    INDArray y = exact.isPresent() ? mapped(exact.get(), x) : function.getActivation(x, training);
    if (training && observer != null) {
      observer.accept(y);
    }
    return quantized(result, y);
  }

  /** Computes in double and rounds to float, as the tables of integer inference do. */
  private static INDArray mapped(ScalarFunction function, INDArray in) {
    double[] values = in.dup('c').data().asDouble();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) function.apply(values[i]);
    }
    return in.assign(Nd4j.create(values, in.shape(), 'c').castTo(in.dataType()));
  }

  private static INDArray quantized(@Nullable FakeQuantizer quantizer, INDArray array) {
    return quantizer == null ? array : quantizer.quantizeInPlace(array);
  }

  @Override
  public Pair<INDArray, INDArray> backprop(INDArray in, INDArray epsilon) {
    assertShape(in, epsilon);
    if (argument == null && result != null) {
      Optional<ScalarFunction> clip =
          Activations.isIdentity(function)
              ? Optional.of(ScalarFunction.identity())
              : Activations.function(function).filter(ScalarFunction::clips);
      if (clip.isPresent()
          && result.gradientInPlace(in, epsilon, clip.get().lowest(), clip.get().highest())) {
        return new Pair<>(in, null);
      }
    }
    INDArray x = quantized(argument, in.dup());
    INDArray gradient = epsilon;
    if (result != null) {
      INDArray y = function.getActivation(x.dup(), true);
      gradient = epsilon.mul(result.inside(y));
    }
    Pair<INDArray, INDArray> inner = function.backprop(x, gradient);
    if (argument != null) {
      inner.getFirst().muli(argument.inside(in));
    }
    return inner;
  }

  @Override
  public int numParams(int inputSize) {
    return function.numParams(inputSize);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FakeQuantizedActivation that
        && function.equals(that.function)
        && Objects.equals(argument, that.argument)
        && Objects.equals(result, that.result);
  }

  @Override
  public int hashCode() {
    return Objects.hash(function, argument, result);
  }

  @Override
  public String toString() {
    return "FakeQuantizedActivation[%s -> %s -> %s]".formatted(argument, function, result);
  }
}
