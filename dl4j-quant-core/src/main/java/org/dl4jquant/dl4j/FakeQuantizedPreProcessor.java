package org.dl4jquant.dl4j;

import java.util.BitSet;
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
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Quantizes and dequantizes what goes into a layer, before another preprocessor if there is one:
 * for values that no activation function stands before, such as the network's inputs, averages and
 * sums. Gradients pass rounding straight through, and are zero where the value saturated in the
 * pass before: as one thread trains a network, forwards and then backwards, so each pass remembers
 * one bit per element for the next. That is no part of equality, of clones or of what is saved.
 * Thread-safe but for that.
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
public final class FakeQuantizedPreProcessor implements InputPreProcessor {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final FakeQuantizer quantizer;
  @JsonProperty private final @Nullable InputPreProcessor then;
  private transient volatile @Nullable Saturated last;

  /**
   * Creates one.
   *
   * @param then what follows on the quantized value; null for nothing
   */
  @JsonCreator
  public FakeQuantizedPreProcessor(
      @JsonProperty("quantizer") FakeQuantizer quantizer,
      @JsonProperty("then") @Nullable InputPreProcessor then) {
    this.quantizer = Objects.requireNonNull(quantizer, "quantizer");
    this.then = then;
  }

  /** Returns one that only quantizes. */
  public static FakeQuantizedPreProcessor of(FakeQuantizer quantizer) {
    return new FakeQuantizedPreProcessor(quantizer, null);
  }

  /** Returns what quantizes. */
  public FakeQuantizer quantizer() {
    return quantizer;
  }

  /** Returns what follows on the quantized value. */
  public Optional<InputPreProcessor> next() {
    return Optional.ofNullable(then);
  }

  /** Returns one that quantizes and then does what {@code next} does. */
  FakeQuantizedPreProcessor followedBy(InputPreProcessor next) {
    return new FakeQuantizedPreProcessor(quantizer, next);
  }

  @Override
  public INDArray preProcess(INDArray input, int batch, LayerWorkspaceMgr workspaces) {
    last = new Saturated(input.length(), quantizer.outside(input));
    INDArray quantized =
        quantizer.quantizeInPlace(workspaces.dup(ArrayType.ACTIVATIONS, input, input.ordering()));
    return then == null ? quantized : then.preProcess(quantized, batch, workspaces);
  }

  @Override
  public INDArray backprop(INDArray output, int batch, LayerWorkspaceMgr workspaces) {
    INDArray gradient =
        then == null
            ? workspaces.dup(ArrayType.ACTIVATION_GRAD, output)
            : then.backprop(output, batch, workspaces);
    Saturated before = last;
    if (before == null || before.places.isEmpty() || before.length != gradient.length()) {
      return gradient;
    }
    INDArray own =
        then == null
            ? gradient
            : workspaces.dup(ArrayType.ACTIVATION_GRAD, gradient, gradient.ordering());
    before.clear(own);
    return own;
  }

  /** Where the values of one pass saturated, as row-major indices. */
  private record Saturated(long length, BitSet places) {
    void clear(INDArray gradients) {
      Optional<HostFloats> memory = HostFloats.of(gradients).filter(HostFloats::rowMajor);
      long[] shape = gradients.shape();
      places.stream()
          .forEach(
              memory.isPresent()
                  ? i -> memory.get().buffer().put(i, 0)
                  : i -> gradients.putScalar(Shape.ind2subC(shape, i), 0));
    }
  }

  @Override
  public InputPreProcessor clone() {
    return new FakeQuantizedPreProcessor(quantizer, then == null ? null : then.clone());
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
    return other instanceof FakeQuantizedPreProcessor that
        && quantizer.equals(that.quantizer)
        && Objects.equals(then, that.then);
  }

  @Override
  public int hashCode() {
    return Objects.hash(quantizer, then);
  }

  @Override
  public String toString() {
    return "FakeQuantizedPreProcessor[" + quantizer + (then == null ? "" : ", " + then) + "]";
  }
}
