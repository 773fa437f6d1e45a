package org.dl4jquant.graph;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * The number formats of one value that flows through a network.
 *
 * @param granularity per tensor, or per channel of one axis; axes count the batch as axis 0, so the
 *     channels are axis 1
 * @param formats one, or one per channel; all of the same bit width, at most {@value
 *     #MAX_BIT_WIDTH}, and the same signedness
 * @param levels of a logarithmic value: of the codes of the only format, which is their grid, only
 *     those that stand for these levels occur, see {@link GridLevels}
 */
public record ActivationFormat(
    Granularity granularity, ImmutableList<NumberFormat> formats, Optional<LogFormat> levels) {
  /** The widest codes; tables over all codes of a value stay small. */
  public static final int MAX_BIT_WIDTH = 16;

  public ActivationFormat {
    Checks.that(!formats.isEmpty(), "formats", "not be empty", formats);
    Checks.that(
        axisOf(granularity) != 0,
        "granularity",
        "be per tensor or per channel of one axis but the batch",
        granularity);
    Checks.that(
        axisOf(granularity) > 0 || formats.size() == 1,
        "formats",
        "be one per tensor",
        formats.size());
    NumberFormat first = formats.get(0);
    Checks.inRange("bitWidth", first.bitWidth(), 2, MAX_BIT_WIDTH);
    for (NumberFormat format : formats) {
      Checks.that(
          format.bitWidth() == first.bitWidth() && format.signed() == first.signed(),
          "formats",
          "agree in bit width and signedness",
          formats);
    }
    if (levels.isPresent()) {
      Checks.that(
          axisOf(granularity) < 0 && first instanceof FixedPointFormat,
          "format",
          "be one of fixed point for the whole value if it is logarithmic",
          formats);
      new GridLevels(levels.get(), (FixedPointFormat) first);
    }
  }

  /** Returns formats that are not logarithmic. */
  public ActivationFormat(Granularity granularity, ImmutableList<NumberFormat> formats) {
    this(granularity, formats, Optional.empty());
  }

  private static int axisOf(Granularity granularity) {
    if (granularity instanceof Granularity.PerChannel channels) {
      return channels.axes().size() == 1 ? channels.axes().get(0) : 0;
    }
    return -1;
  }

  /** Returns one format for the whole value. */
  public static ActivationFormat perTensor(NumberFormat format) {
    return new ActivationFormat(Granularity.perTensor(), ImmutableList.of(format));
  }

  /** Returns one logarithmic format for the whole value. */
  public static ActivationFormat logarithmic(GridLevels levels) {
    return new ActivationFormat(
        Granularity.perTensor(), ImmutableList.of(levels.grid()), Optional.of(levels.levels()));
  }

  /** Returns one format per channel. */
  public static ActivationFormat perChannel(List<? extends NumberFormat> formats) {
    return new ActivationFormat(Granularity.perChannel(1), ImmutableList.copyOf(formats));
  }

  /** Returns true if all elements share one format. */
  public boolean perTensor() {
    return axisOf(granularity) < 0;
  }

  /** Returns the bits of one code; of the grid's if the value is logarithmic. */
  public int bitWidth() {
    return formats.get(0).bitWidth();
  }

  /** Returns the bits that tell all codes that occur apart: fewer if the value is logarithmic. */
  public int storedBits() {
    return levels.map(LogFormat::bitWidth).orElse(bitWidth());
  }

  /** Returns the levels on their grid, if the value is logarithmic. */
  public Optional<GridLevels> gridLevels() {
    return levels.map(own -> new GridLevels(own, (FixedPointFormat) formats.get(0)));
  }

  /**
   * Returns a value as this format carries it: quantized, then dequantized.
   *
   * @param value without NaN
   */
  public Tensor fakeQuantize(Tensor value, Rounding rounding) {
    QuantizedTensor codes = QuantizedTensor.quantize(value, granularity, formats, rounding);
    if (levels.isEmpty()) {
      return codes.dequantize();
    }
    ImmutableIntArray table = gridLevels().orElseThrow().table();
    int[] own = codes.codes();
    for (int i = 0; i < own.length; i++) {
      own[i] = table.get(own[i]);
    }
    return QuantizedTensor.of(own, granularity, formats, codes.shape()).dequantize();
  }

  /**
   * Returns one format per channel of axis 1.
   *
   * @throws IllegalArgumentException if the formats belong to another axis or number
   */
  public ImmutableList<NumberFormat> ofChannels(int channels) {
    if (perTensor()) {
      return ImmutableList.copyOf(Collections.nCopies(channels, formats.get(0)));
    }
    Checks.that(axisOf(granularity) == 1, "granularity", "be per channel of axis 1", granularity);
    Checks.that(
        formats.size() == channels, "formats", "be one per channel, " + channels, formats.size());
    return formats;
  }

  /**
   * Checks that there is one format per channel of a value of this shape (batch excluded), as far
   * as the shape is known.
   */
  void requireFits(Shape shape) {
    if (!perTensor()) {
      int axis = axisOf(granularity) - 1;
      Checks.that(axis < shape.rank(), "granularity", "exist in shape " + shape, granularity);
      Checks.that(
          shape.size(axis) == Shape.UNKNOWN || shape.size(axis) == formats.size(),
          "formats",
          "be one per channel of shape " + shape,
          formats.size());
    }
  }

  /**
   * Returns the format of a value of shape {@code from} after its code-keeping {@code op}.
   *
   * @param channels of the value after it; less than 1 if only data tells
   */
  ActivationFormat after(Op op, Shape from, int channels) {
    if (perTensor()) {
      return this;
    }
    int axis = axisOf(granularity);
    if (op instanceof Flatten) {
      return flattened(from, channels);
    }
    if (op instanceof Permute permute) {
      int to = permute.axes().indexOf(axis - 1) + 1;
      return new ActivationFormat(Granularity.perChannel(to), formats);
    }
    Checks.that(!(op instanceof Reshape), "format", "be per tensor to be reshaped", granularity);
    Checks.that(axis == 1, "granularity", "be per channel of axis 1", granularity);
    return this;
  }

  /** Channels become as many features each, one after the other. */
  private ActivationFormat flattened(Shape from, int features) {
    if (!from.known() && axisOf(granularity) == 1 && features >= 1) {
      Checks.that(
          features % formats.size() == 0,
          "features",
          "be a multiple of the channels, " + formats.size(),
          features);
      int each = features / formats.size();
      return perChannel(
          IntStream.range(0, features)
              .mapToObj(feature -> formats.get(feature / each))
              .collect(toImmutableList()));
    }
    Checks.that(from.known(), "input", "have a known shape to be flattened per channel", from);
    int[] channels = granularity.channelOfEach(from.withBatch(1));
    return perChannel(Arrays.stream(channels).mapToObj(formats::get).collect(toImmutableList()));
  }
}
