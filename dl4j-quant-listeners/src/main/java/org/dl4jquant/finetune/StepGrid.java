package org.dl4jquant.finetune;

import java.util.Arrays;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Steps of any size for one parameter, per tensor or per channel: {@code round(min(max(w / s,
 * minCode), maxCode)) * s}. Immutable; a learned step makes another one.
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class StepGrid implements ParameterGrid {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final int minCode;
  @JsonProperty private final int maxCode;
  @JsonProperty private final int[] axes;
  @JsonProperty private final double[] steps;

  @JsonCreator
  StepGrid(
      @JsonProperty("minCode") int minCode,
      @JsonProperty("maxCode") int maxCode,
      @JsonProperty("axes") int[] axes,
      @JsonProperty("steps") double[] steps) {
    Checks.that(minCode < 0 && maxCode > 0, "minCode", "be below 0 below maxCode", minCode);
    Checks.that(steps.length > 0, "steps", "not be empty", "none");
    for (double step : steps) {
      Checks.positiveFinite("steps", step);
    }
    this.minCode = minCode;
    this.maxCode = maxCode;
    this.axes = axes.clone();
    this.steps = steps.clone();
  }

  /** Returns the grid with other steps. */
  StepGrid withSteps(double... other) {
    return new StepGrid(minCode, maxCode, axes, other);
  }

  double[] steps() {
    return steps.clone();
  }

  /** Returns the format of each channel whose step is the power of two nearest to the learned. */
  FixedPointFormat[] snapped(FixedPointFormat like) {
    return Arrays.stream(steps)
        .mapToObj(step -> like.withFractionalLength(length(step)))
        .toArray(FixedPointFormat[]::new);
  }

  /** Returns the fractional length of the nearest power of two, by ratio. */
  static int length(double step) {
    int length = (int) Math.rint(-Math.log(step) / Math.log(2));
    return Math.max(
        FixedPointFormat.MIN_FRACTIONAL_LENGTH,
        Math.min(FixedPointFormat.MAX_FRACTIONAL_LENGTH, length));
  }

  private int[] channels(int... shape) {
    Granularity granularity =
        axes.length == 0 ? Granularity.perTensor() : Granularity.perChannel(axes);
    Checks.that(
        granularity.channels(shape) == steps.length,
        "parameter",
        "have " + steps.length + " channels",
        Arrays.toString(shape));
    return granularity.channelOfEach(shape);
  }

  @Override
  public void quantize(INDArray master, INDArray target) {
    Tensor weights = Tensors.of(master);
    float[] values = weights.values().clone();
    int[] channels = channels(weights.shape());
    for (int i = 0; i < values.length; i++) {
      double step = steps[channels[i]];
      values[i] =
          (float) (Math.rint(Math.max(minCode, Math.min(maxCode, values[i] / step))) * step);
    }
    Tensors.copyInto(Tensor.of(values, weights.shape()), target);
  }

  @Override
  public void clip(INDArray master) {
    // The range moves with the steps; a weight outside waits for it, without gradient.
  }

  /**
   * Returns the gradient of each step (Esser et al. 2020, equations 3 and 5, with the gradient
   * scale of section 2.2), and makes the gradient of weights outside the range zero, in place.
   *
   * @param weights row-major
   * @param gradients of the quantized weights
   * @param shape of both
   */
  double[] gradient(double[] weights, double[] gradients, int... shape) {
    int[] channels = channels(shape);
    double[] sums = new double[steps.length];
    int[] counts = new int[steps.length];
    for (int i = 0; i < weights.length; i++) {
      int c = channels[i];
      double code = weights[i] / steps[c];
      counts[c]++;
      if (code <= minCode || code >= maxCode) {
        sums[c] += gradients[i] * (code <= minCode ? minCode : maxCode);
        gradients[i] = 0;
      } else {
        sums[c] += gradients[i] * (Math.rint(code) - code);
      }
    }
    for (int c = 0; c < sums.length; c++) {
      sums[c] /= Math.sqrt((double) Math.max(1, counts[c]) * maxCode);
    }
    return sums;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StepGrid that
        && minCode == that.minCode
        && maxCode == that.maxCode
        && Arrays.equals(axes, that.axes)
        && Arrays.equals(steps, that.steps);
  }

  @Override
  public int hashCode() {
    return (minCode * 31 + maxCode) * 31 + Arrays.hashCode(steps);
  }

  @Override
  public String toString() {
    return minCode + ".." + maxCode + " * " + Arrays.toString(steps);
  }
}
