package org.dl4jquant.finetune;

import java.util.Arrays;
import java.util.Optional;
import org.dl4jquant.dl4j.FixedPointLoop;
import org.dl4jquant.dl4j.HostFloats;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Rint;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** The fixed-point formats of one parameter, per tensor or per channel. Immutable. */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class WeightGrid implements ParameterGrid {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final int minCode;
  @JsonProperty private final int maxCode;
  @JsonProperty private final int[] axes;
  @JsonProperty private final int[] fractionalLengths;

  @JsonCreator
  WeightGrid(
      @JsonProperty("minCode") int minCode,
      @JsonProperty("maxCode") int maxCode,
      @JsonProperty("axes") int[] axes,
      @JsonProperty("fractionalLengths") int[] fractionalLengths) {
    Checks.that(minCode < maxCode, "minCode", "be below maxCode " + maxCode, minCode);
    Checks.that(fractionalLengths.length > 0, "fractionalLengths", "not be empty", "none");
    this.minCode = minCode;
    this.maxCode = maxCode;
    this.axes = axes.clone();
    this.fractionalLengths = fractionalLengths.clone();
  }

  /** Returns the grid of codes. */
  static WeightGrid of(String parameter, QuantizedTensor codes) {
    int[] lengths = new int[codes.formats().size()];
    for (int c = 0; c < lengths.length; c++) {
      NumberFormat format = codes.formats().get(c);
      Checks.that(
          format instanceof FixedPointFormat, parameter, "have fixed-point formats", format);
      lengths[c] = ((FixedPointFormat) format).fractionalLength();
    }
    FixedPointFormat first = (FixedPointFormat) codes.formats().get(0);
    int[] axes = ParameterGrid.axes(codes.granularity());
    return new WeightGrid(
        Math.toIntExact(first.minCode()), Math.toIntExact(first.maxCode()), axes, lengths);
  }

  /** Returns a grid of the same codes whose steps need not be powers of two. */
  StepGrid steps() {
    double[] steps =
        Arrays.stream(fractionalLengths).mapToDouble(length -> Math.scalb(1.0, -length)).toArray();
    return new StepGrid(minCode, maxCode, axes, steps);
  }

  @Override
  public void quantize(INDArray master, INDArray target) {
    Optional<HostFloats> from = memory(master);
    Optional<HostFloats> to = memory(target);
    Optional<ChannelRuns> channels = from.flatMap(memory -> memory.channels(axes));
    if (channels.isPresent() && to.isPresent() && from.get().inOrderOf(to.get())) {
      loop().round(from.get().buffer(), to.get().buffer(), channels.get());
      return;
    }
    if (target != master) {
      target.assign(master);
    }
    scale(target, 1);
    limit(target);
    Nd4j.getExecutioner().exec(new Rint(target, target));
    scale(target, -1);
  }

  @Override
  public void clip(INDArray master) {
    Optional<HostFloats> memory = memory(master);
    Optional<ChannelRuns> channels = memory.flatMap(found -> found.channels(axes));
    if (channels.isPresent()) {
      loop().clip(memory.get().buffer(), channels.get());
      return;
    }
    scale(master, 1);
    limit(master);
    scale(master, -1);
  }

  private Optional<HostFloats> memory(INDArray array) {
    return FixedPointLoop.supports(fractionalLengths) ? HostFloats.of(array) : Optional.empty();
  }

  private FixedPointLoop loop() {
    return new FixedPointLoop(minCode, maxCode, fractionalLengths);
  }

  private void limit(INDArray array) {
    Nd4j.exec(
        DynamicCustomOp.builder("clipbyvalue")
            .addInputs(array)
            .addOutputs(array)
            .addFloatingPointArguments((double) minCode, (double) maxCode)
            .build());
  }

  private void scale(INDArray array, int sign) {
    if (fractionalLengths.length == 1) {
      array.muli(Math.scalb(1.0, sign * fractionalLengths[0]));
      return;
    }
    long[] shape = new long[array.rank()];
    Arrays.fill(shape, 1);
    for (int axis : axes) {
      shape[axis] = array.size(axis);
    }
    double[] scales = new double[fractionalLengths.length];
    for (int c = 0; c < scales.length; c++) {
      scales[c] = Math.scalb(1.0, sign * fractionalLengths[c]);
    }
    array.muli(Nd4j.createFromArray(scales).castTo(array.dataType()).reshape('c', shape));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WeightGrid that
        && minCode == that.minCode
        && maxCode == that.maxCode
        && Arrays.equals(axes, that.axes)
        && Arrays.equals(fractionalLengths, that.fractionalLengths);
  }

  @Override
  public int hashCode() {
    return (minCode * 31 + maxCode) * 31 + Arrays.hashCode(fractionalLengths);
  }

  @Override
  public String toString() {
    return minCode + ".." + maxCode + " * 2^-" + Arrays.toString(fractionalLengths);
  }
}
