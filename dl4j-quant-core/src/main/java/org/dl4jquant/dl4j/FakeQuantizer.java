package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Optional;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Rint;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Replaces numbers by those that fixed-point codes stand for: scaled, rounded half to even,
 * saturated and scaled back, all of which is exact in any floating-point type whose significand is
 * as wide as a code. NaN stays NaN. Immutable and thread-safe; written to JSON as part of DL4J's
 * configuration.
 */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
public final class FakeQuantizer implements Serializable {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final int bitWidth;
  @JsonProperty private final boolean signed;
  @JsonProperty private final int channelAxis;
  @JsonProperty private final int[] fractionalLengths;

  @JsonCreator
  FakeQuantizer(
      @JsonProperty("bitWidth") int bitWidth,
      @JsonProperty("signed") boolean signed,
      @JsonProperty("channelAxis") int channelAxis,
      @JsonProperty("fractionalLengths") int[] fractionalLengths) {
    Checks.inRange("bitWidth", bitWidth, 2, ActivationFormat.MAX_BIT_WIDTH);
    Checks.that(channelAxis >= 0, "channelAxis", "not be negative", channelAxis);
    Checks.that(fractionalLengths.length > 0, "fractionalLengths", "not be empty", "none");
    Checks.that(
        channelAxis > 0 || fractionalLengths.length == 1,
        "fractionalLengths",
        "be one per tensor",
        fractionalLengths.length);
    this.bitWidth = bitWidth;
    this.signed = signed;
    this.channelAxis = channelAxis;
    this.fractionalLengths = fractionalLengths.clone();
  }

  /**
   * Returns the quantizer of a format.
   *
   * @param format of fixed point, without narrow ranges, per tensor or per channel
   * @param channelAxis where DL4J has the channels, the batch counted: 1, or the last axis
   */
  public static FakeQuantizer of(ActivationFormat format, int channelAxis) {
    ImmutableIntArray.Builder lengths = ImmutableIntArray.builder();
    for (NumberFormat each : format.formats()) {
      Checks.that(
          each instanceof FixedPointFormat own && !own.narrowRange(),
          "format",
          "be fixed point with all codes in use",
          each);
      lengths.add(((FixedPointFormat) each).fractionalLength());
    }
    return new FakeQuantizer(
        format.bitWidth(),
        format.formats().get(0).signed(),
        format.perTensor() ? 0 : Checks.positive("channelAxis", channelAxis),
        lengths.build().toArray());
  }

  /** Returns the formats, one per channel, or one for all. */
  public ImmutableList<FixedPointFormat> formats() {
    return Arrays.stream(fractionalLengths)
        .mapToObj(length -> new FixedPointFormat(bitWidth, length, signed, false))
        .collect(ImmutableList.toImmutableList());
  }

  /** Overwrites {@code array}, of any floating-point type, and returns it. */
  INDArray quantizeInPlace(INDArray array) {
    requireChannels(array);
    Optional<HostFloats> memory = memory(array);
    Optional<ChannelRuns> channels = memory.flatMap(this::channels);
    if (channels.isPresent()) {
      loop().round(memory.get().buffer(), channels.get());
      return array;
    }
    FixedPointFormat first = formats().get(0);
    scale(array, 1);
    Nd4j.getExecutioner().exec(new Rint(array, array));
    clip(array, (double) first.minCode(), (double) first.maxCode());
    scale(array, -1);
    return array;
  }

  private Optional<HostFloats> memory(INDArray array) {
    return FixedPointLoop.supports(fractionalLengths) ? HostFloats.of(array) : Optional.empty();
  }

  private Optional<ChannelRuns> channels(HostFloats memory) {
    return channelAxis == 0 ? memory.channels() : memory.channels(channelAxis);
  }

  private FixedPointLoop loop() {
    FixedPointFormat first = formats().get(0);
    return new FixedPointLoop(
        Math.toIntExact(first.minCode()), Math.toIntExact(first.maxCode()), fractionalLengths);
  }

  /**
   * Overwrites {@code values} with the gradient of {@code min(max(lowest, x), highest)} and this,
   * if both arrays lie in the host's memory in the same order.
   *
   * @return whether they do; else nothing is written
   */
  boolean gradientInPlace(INDArray values, INDArray gradients, double lowest, double highest) {
    Optional<HostFloats> x = memory(values);
    Optional<HostFloats> gradient = memory(gradients);
    Optional<ChannelRuns> channels = x.flatMap(this::channels);
    if (channels.isEmpty() || gradient.isEmpty() || !x.get().inOrderOf(gradient.get())) {
      return false;
    }
    loop().gradients(x.get().buffer(), gradient.get().buffer(), channels.get(), lowest, highest);
    return true;
  }

  private static void clip(INDArray array, double min, double max) {
    Nd4j.exec(
        DynamicCustomOp.builder("clipbyvalue")
            .addInputs(array)
            .addOutputs(array)
            .addFloatingPointArguments(min, max)
            .build());
  }

  /** Returns 1 where a number lies within the range of its format and 0 where it saturates. */
  INDArray inside(INDArray array) {
    FixedPointFormat first = formats().get(0);
    INDArray steps = array.dup();
    scale(steps, 1);
    INDArray above = steps.gte(first.minCode()).castTo(array.dataType());
    return above.muli(steps.lte(first.maxCode()).castTo(array.dataType()));
  }

  private void requireChannels(INDArray array) {
    Checks.that(
        channelAxis == 0
            || (channelAxis < array.rank() && array.size(channelAxis) == fractionalLengths.length),
        "array",
        "have " + fractionalLengths.length + " channels along axis " + channelAxis,
        Arrays.toString(array.shape()));
  }

  private void scale(INDArray array, int sign) {
    if (channelAxis == 0) {
      array.muli(Math.scalb(1.0, sign * fractionalLengths[0]));
      return;
    }
    requireChannels(array);
    double[] scales = new double[fractionalLengths.length];
    for (int c = 0; c < scales.length; c++) {
      scales[c] = Math.scalb(1.0, sign * fractionalLengths[c]);
    }
    long[] shape = new long[array.rank()];
    Arrays.fill(shape, 1);
    shape[channelAxis] = scales.length;
    array.muli(Nd4j.createFromArray(scales).castTo(array.dataType()).reshape(shape));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FakeQuantizer that
        && bitWidth == that.bitWidth
        && signed == that.signed
        && channelAxis == that.channelAxis
        && Arrays.equals(fractionalLengths, that.fractionalLengths);
  }

  @Override
  public int hashCode() {
    return ((bitWidth * 2 + (signed ? 1 : 0)) * 31 + channelAxis) * 31
        + Arrays.hashCode(fractionalLengths);
  }

  @Override
  public String toString() {
    return formats().toString();
  }
}
