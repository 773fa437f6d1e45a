package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.io.Serializable;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Rint;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Replaces numbers by those that codes stand for: scaled, rounded half to even, saturated and
 * scaled back, which for fixed point is exact in any floating-point type whose significand is as
 * wide as a code; for an affine format it is a division and a multiplication in that type. Codes of
 * a logarithmic value become those of its levels between rounding and scaling back. NaN stays NaN.
 * Immutable and thread-safe; written to JSON as part of DL4J's configuration.
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
  @JsonProperty private final int[] fractionalLengths; // none if affine

  @JsonProperty
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private final @Nullable Float scale;

  @JsonProperty
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private final @Nullable Integer zeroPoint;

  @JsonProperty
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private final @Nullable Levels levels;

  private transient @Nullable LevelLoop levelLoop; // of the levels, made when it is first needed

  /** The numbers of a logarithmic format, for JSON. */
  private record Levels(
      @JsonProperty("levels") int levels,
      @JsonProperty("offset") int offset,
      @JsonProperty("halfStep") int halfStep)
      implements Serializable {
    @JsonCreator
    Levels {}

    static Levels of(LogFormat format) {
      return new Levels(format.levels(), format.offset(), format.halfStep());
    }

    LogFormat format() {
      return new LogFormat(levels, offset, halfStep);
    }
  }

  @JsonCreator
  FakeQuantizer(
      @JsonProperty("bitWidth") int bitWidth,
      @JsonProperty("signed") boolean signed,
      @JsonProperty("channelAxis") int channelAxis,
      @JsonProperty("fractionalLengths") int[] fractionalLengths,
      @JsonProperty("scale") @Nullable Float scale,
      @JsonProperty("zeroPoint") @Nullable Integer zeroPoint,
      @JsonProperty("levels") @Nullable Levels levels) {
    Checks.inRange("bitWidth", bitWidth, 2, ActivationFormat.MAX_BIT_WIDTH);
    Checks.that(channelAxis >= 0, "channelAxis", "not be negative", channelAxis);
    boolean affine = scale != null && zeroPoint != null;
    Checks.that(
        affine ? fractionalLengths.length == 0 : fractionalLengths.length > 0,
        "fractionalLengths",
        affine ? "be empty beside a scale" : "not be empty",
        fractionalLengths.length);
    Checks.that(
        channelAxis > 0 || affine || fractionalLengths.length == 1,
        "fractionalLengths",
        "be one per tensor",
        fractionalLengths.length);
    this.bitWidth = bitWidth;
    this.signed = signed;
    this.channelAxis = channelAxis;
    this.fractionalLengths = fractionalLengths.clone();
    this.scale = scale;
    this.zeroPoint = zeroPoint;
    this.levels = levels;
    gridLevels();
  }

  /**
   * Returns the quantizer of a format.
   *
   * @param format of fixed point, without narrow ranges, per tensor or per channel; or affine, per
   *     tensor
   * @param channelAxis where DL4J has the channels, the batch counted: 1, or the last axis
   */
  public static FakeQuantizer of(ActivationFormat format, int channelAxis) {
    if (format.perTensor() && format.formats().get(0) instanceof AffineParameters affine) {
      return new FakeQuantizer(
          format.bitWidth(),
          affine.signed(),
          0,
          new int[0],
          affine.scale(),
          Math.toIntExact(affine.zeroPoint()),
          null);
    }
    ImmutableIntArray.Builder lengths = ImmutableIntArray.builder();
    for (NumberFormat each : format.formats()) {
      Checks.that(
          each instanceof FixedPointFormat own && !own.narrowRange(),
          "format",
          "be fixed point with all codes in use, or affine and one for all",
          each);
      lengths.add(((FixedPointFormat) each).fractionalLength());
    }
    return new FakeQuantizer(
        format.bitWidth(),
        format.formats().get(0).signed(),
        format.perTensor() ? 0 : Checks.positive("channelAxis", channelAxis),
        lengths.build().toArray(),
        null,
        null,
        format.levels().map(Levels::of).orElse(null));
  }

  /** Returns the formats, one per channel, or one for all. */
  public ImmutableList<UniformFormat> formats() {
    return affine().isPresent() ? ImmutableList.of(affine().get()) : fixedPoint();
  }

  /** Returns the axis of the channels, the batch counted; none if one format is for all. */
  public int[] axes() {
    return channelAxis == 0 ? new int[0] : new int[] {channelAxis};
  }

  private Optional<AffineParameters> affine() {
    return scale == null || zeroPoint == null
        ? Optional.empty()
        : Optional.of(new AffineParameters(bitWidth, scale, zeroPoint, signed));
  }

  /** Returns the levels of a logarithmic value on its grid; empty if it is none. */
  public Optional<GridLevels> gridLevels() {
    return levels == null
        ? Optional.empty()
        : Optional.of(new GridLevels(levels.format(), (FixedPointFormat) formats().get(0)));
  }

  private ImmutableList<UniformFormat> fixedPoint() {
    return Arrays.stream(fractionalLengths)
        .mapToObj(length -> new FixedPointFormat(bitWidth, length, signed, false))
        .collect(ImmutableList.toImmutableList());
  }

  /** Overwrites {@code array}, of any floating-point type, and returns it. */
  INDArray quantizeInPlace(INDArray array) {
    requireChannels(array);
    if (levels != null) {
      return levelLoop().roundInPlace(array);
    }
    Optional<HostFloats> memory = memory(array);
    if (memory.isPresent() && affine().isPresent()) {
      new AffineLoop(affine().get()).round(memory.get().buffer());
      return array;
    }
    Optional<ChannelRuns> channels = memory.flatMap(this::channels);
    if (channels.isPresent()) {
      loop().round(memory.get().buffer(), channels.get());
      return array;
    }
    scale(array, 1);
    Nd4j.getExecutioner().exec(new Rint(array, array));
    clip(array, (double) minCode(), (double) maxCode());
    scale(array, -1);
    return array;
  }

  private LevelLoop levelLoop() {
    LevelLoop own = levelLoop;
    if (own == null) {
      own = LevelLoop.of(gridLevels().orElseThrow());
      levelLoop = own;
    }
    return own;
  }

  private Optional<HostFloats> memory(INDArray array) {
    return FixedPointLoop.supports(fractionalLengths) ? HostFloats.of(array) : Optional.empty();
  }

  private Optional<ChannelRuns> channels(HostFloats memory) {
    return channelAxis == 0 ? memory.channels() : memory.channels(channelAxis);
  }

  private FixedPointLoop loop() {
    return new FixedPointLoop(minCode(), maxCode(), fractionalLengths);
  }

  /** Returns the smallest code, counted from the zero point. */
  private int minCode() {
    UniformFormat first = formats().get(0);
    return Math.toIntExact(first.minCode() - first.zeroPoint());
  }

  /** Returns the largest code, counted from the zero point. */
  private int maxCode() {
    UniformFormat first = formats().get(0);
    return Math.toIntExact(first.maxCode() - first.zeroPoint());
  }

  /**
   * Overwrites {@code values} with the gradient of {@code min(max(lowest, x), highest)} and this,
   * if both arrays lie in the host's memory in the same order. Levels pass it wherever the function
   * does: also where a positive value becomes zero, and above the top level.
   *
   * @return whether they do; else nothing is written
   */
  boolean gradientInPlace(INDArray values, INDArray gradients, double lowest, double highest) {
    Optional<HostFloats> x = memory(values);
    Optional<HostFloats> gradient = memory(gradients);
    boolean alike = x.isPresent() && gradient.isPresent() && x.get().inOrderOf(gradient.get());
    if (alike && levels != null) {
      LevelLoop.gradients(x.get().buffer(), gradient.get().buffer(), lowest, highest);
      return true;
    }
    if (alike && affine().isPresent()) {
      new AffineLoop(affine().get())
          .gradients(x.get().buffer(), gradient.get().buffer(), lowest, highest);
      return true;
    }
    Optional<ChannelRuns> channels = x.flatMap(this::channels);
    if (channels.isEmpty() || !alike) {
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

  /**
   * Returns 1 where a number lies within the range of its format and 0 where it saturates; 1 for
   * all numbers if there are levels.
   */
  INDArray inside(INDArray array) {
    if (levels != null) {
      return Nd4j.onesLike(array);
    }
    INDArray steps = array.dup();
    scale(steps, 1);
    INDArray above = steps.gte(minCode()).castTo(array.dataType());
    return above.muli(steps.lte(maxCode()).castTo(array.dataType()));
  }

  /** Returns where {@link #inside} is 0, as row-major indices. */
  BitSet outside(INDArray array) {
    if (levels != null) {
      return new BitSet();
    }
    Optional<HostFloats> memory = memory(array).filter(HostFloats::rowMajor);
    Optional<ChannelRuns> channels = memory.flatMap(this::channels);
    if (channels.isPresent() && levels == null && fractionalLengths.length > 0) {
      return loop().outside(memory.get().buffer(), channels.get());
    }
    double[] inside = inside(array).dup('c').data().asDouble();
    BitSet places = new BitSet();
    for (int i = 0; i < inside.length; i++) {
      if (inside[i] == 0) {
        places.set(i);
      }
    }
    return places;
  }

  private void requireChannels(INDArray array) {
    Checks.that(
        channelAxis == 0
            || (channelAxis < array.rank() && array.size(channelAxis) == fractionalLengths.length),
        "array",
        "have " + fractionalLengths.length + " channels along axis " + channelAxis,
        Arrays.toString(array.shape()));
  }

  /** Makes steps of values, counted from the zero point, or values of steps if the sign is -1. */
  private void scale(INDArray array, int sign) {
    if (scale != null) {
      if (sign > 0) {
        array.divi(scale);
      } else {
        array.muli(scale);
      }
      return;
    }
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
        && Arrays.equals(fractionalLengths, that.fractionalLengths)
        && Objects.equals(scale, that.scale)
        && Objects.equals(zeroPoint, that.zeroPoint)
        && Objects.equals(levels, that.levels);
  }

  @Override
  public int hashCode() {
    return ((bitWidth * 2 + (signed ? 1 : 0)) * 31 + channelAxis) * 31
        + Arrays.hashCode(fractionalLengths)
        + Objects.hash(scale, zeroPoint, levels);
  }

  @Override
  public String toString() {
    return levels == null ? formats().toString() : gridLevels().orElseThrow().toString();
  }
}
