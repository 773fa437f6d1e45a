package org.dl4jquant.listeners;

import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.GradientPrecision;
import org.jspecify.annotations.Nullable;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A loss whose error signal, its gradient by the head's pre-activations, has {@code bits} bits in
 * the range -1 to 1, as a head trained in limited precision would have it (method E,
 * US20240112030A1). Scores are those of the loss inside.
 *
 * <p>With softmax and cross entropy the error is {@code p - y}; below {@code 1 + ceil(log2(N - 1))}
 * bits the parts of the wrong classes of an undecided network round to 0. Errors beyond the range,
 * which other losses or weights may have, go to its ends. Saved with the network's configuration.
 */
public final class RoundedErrorLoss implements ILossFunction {
  private static final long serialVersionUID = 1;

  private final ILossFunction loss;
  private final int bits;

  /** Wraps a loss. */
  public RoundedErrorLoss(
      @JsonProperty("loss") ILossFunction loss, @JsonProperty("bits") int bits) {
    Checks.inRange("bits", bits, 2, 24);
    this.loss = loss;
    this.bits = bits;
  }

  /** Returns the loss inside. */
  public ILossFunction getLoss() {
    return loss;
  }

  /** Returns the bits of the error signal. */
  public int getBits() {
    return bits;
  }

  @Override
  public double computeScore(
      INDArray labels,
      INDArray output,
      IActivation activation,
      @Nullable INDArray mask,
      boolean average) {
    return loss.computeScore(labels, output, activation, mask, average);
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray output, IActivation activation, @Nullable INDArray mask) {
    return loss.computeScoreArray(labels, output, activation, mask);
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray output, IActivation activation, @Nullable INDArray mask) {
    return rounded(loss.computeGradient(labels, output, activation, mask));
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels,
      INDArray output,
      IActivation activation,
      @Nullable INDArray mask,
      boolean average) {
    Pair<Double, INDArray> both =
        loss.computeGradientAndScore(labels, output, activation, mask, average);
    return Pair.of(both.getFirst(), rounded(both.getSecond()));
  }

  private INDArray rounded(INDArray error) {
    INDArray own = NativeValues.isContiguous(error) ? error : error.dup('c');
    GradientPrecision.dynamic(bits)
        .withFractionalLength(bits - 1)
        .round(NativeValues.view("the error signal", own, 0, own.length()));
    return own;
  }

  @Override
  public String name() {
    return loss.name() + "_" + bits + "BIT";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RoundedErrorLoss that && bits == that.bits && loss.equals(that.loss);
  }

  @Override
  public int hashCode() {
    return 31 * loss.hashCode() + bits;
  }

  @Override
  public String toString() {
    return "RoundedErrorLoss(" + loss + ", " + bits + " bits)";
  }
}
