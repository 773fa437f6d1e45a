package org.dl4jquant.finetune;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.dl4j.HostFloats;
import org.dl4jquant.format.ChannelRuns;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Steps of any size for one parameter or value, per tensor or per channel: {@code round(min(max(w /
 * s, minCode), maxCode)) * s}, in the precision of floats. Immutable; a learned step makes another
 * one.
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
    Checks.that(minCode <= 0 && maxCode > 0, "minCode", "be at most 0, below maxCode", minCode);
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
  List<FixedPointFormat> snapped(FixedPointFormat like) {
    return Arrays.stream(steps).mapToObj(step -> like.withFractionalLength(length(step))).toList();
  }

  /** Returns a grid of the codes of these formats. */
  static StepGrid of(List<FixedPointFormat> formats, int... axes) {
    FixedPointFormat first = formats.get(0);
    return new StepGrid(
        Math.toIntExact(first.minCode()),
        Math.toIntExact(first.maxCode()),
        axes,
        formats.stream().mapToDouble(FixedPointFormat::scale).toArray());
  }

  /** Returns the fractional length of the nearest power of two, by ratio. */
  static int length(double step) {
    int length = (int) Math.rint(-Math.log(step) / Math.log(2));
    return Math.max(
        FixedPointFormat.MIN_FRACTIONAL_LENGTH,
        Math.min(FixedPointFormat.MAX_FRACTIONAL_LENGTH, length));
  }

  /** Floats in the order of some memory, and their channels. */
  private record Elements(FloatBuffer values, ChannelRuns channels) {
    /** Returns the channel of the run that begins at an element. */
    int channel(int start) {
      return channels.channels().get(start / channels.length() % channels.channels().length());
    }
  }

  private Optional<Elements> memory(INDArray array) {
    return HostFloats.of(array)
        .flatMap(memory -> memory.channels(axes).map(own -> new Elements(memory.buffer(), own)));
  }

  private Elements copy(INDArray array) {
    int[] shape = Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray();
    return new Elements(
        FloatBuffer.wrap(array.dup('c').data().asFloat()), granularity().runs(shape));
  }

  private Granularity granularity() {
    return axes.length == 0 ? Granularity.perTensor() : Granularity.perChannel(axes);
  }

  private void requireChannels(INDArray array) {
    int[] shape = Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray();
    Checks.that(
        granularity().channels(shape) == steps.length,
        "array",
        "have " + steps.length + " channels",
        Arrays.toString(shape));
  }

  private static boolean alike(INDArray first, INDArray second) {
    Optional<HostFloats> one = HostFloats.of(first);
    Optional<HostFloats> other = HostFloats.of(second);
    return one.isPresent() && other.isPresent() && one.get().inOrderOf(other.get());
  }

  @Override
  public void quantize(INDArray master, INDArray target) {
    requireChannels(master);
    Optional<Elements> from = alike(master, target) ? memory(master) : Optional.empty();
    if (from.isPresent()) {
      round(from.get(), memory(target).orElseThrow().values());
      return;
    }
    Elements copy = copy(master);
    round(copy, copy.values());
    target.assign(
        Nd4j.create(copy.values().array(), master.shape(), 'c').castTo(target.dataType()));
  }

  private void round(Elements from, FloatBuffer to) {
    FloatBuffer values = from.values();
    int run = from.channels().length();
    for (int start = 0; start < values.capacity(); start += run) {
      double step = steps[from.channel(start)];
      for (int i = start; i < start + run; i++) {
        double code = Math.max(minCode, Math.min(maxCode, values.get(i) / step));
        to.put(i, (float) (Math.rint(code) * step));
      }
    }
  }

  /** Limits the elements of an array to the range of the codes, in place. */
  void limit(INDArray array) {
    requireChannels(array);
    Optional<Elements> own = memory(array);
    Elements elements = own.orElseGet(() -> copy(array));
    FloatBuffer values = elements.values();
    int run = elements.channels().length();
    for (int start = 0; start < values.capacity(); start += run) {
      double step = steps[elements.channel(start)];
      for (int i = start; i < start + run; i++) {
        values.put(i, (float) Math.max(minCode * step, Math.min(maxCode * step, values.get(i))));
      }
    }
    if (own.isEmpty()) {
      array.assign(Nd4j.create(values.array(), array.shape(), 'c').castTo(array.dataType()));
    }
  }

  @Override
  public void clip(INDArray master) {
    // The range moves with the steps; a weight outside waits for it, without gradient.
  }

  /**
   * Returns the gradient of each step (Esser et al. 2020, equations 3 and 5, with the gradient
   * scale of section 2.2), and makes the gradient of what lies outside the range zero, in place.
   *
   * @param values before they are quantized
   * @param gradients of the quantized values; of the same shape
   * @param examples how many the values belong to, 1 for a parameter: the scale counts the values
   *     of one
   */
  double[] gradient(INDArray values, INDArray gradients, long examples) {
    requireChannels(values);
    Optional<Elements> own = alike(values, gradients) ? memory(values) : Optional.empty();
    double[] sums;
    if (own.isPresent()) {
      sums = sums(own.get(), memory(gradients).orElseThrow().values());
    } else {
      Elements passed = copy(gradients);
      sums = sums(copy(values), passed.values());
      INDArray left = Nd4j.create(passed.values().array(), gradients.shape(), 'c');
      gradients.muli(left.neq(0).castTo(gradients.dataType()));
    }
    long features = values.length() / Math.max(1, examples) / steps.length;
    double scale = Math.sqrt((double) Math.max(1, features) * maxCode);
    for (int c = 0; c < sums.length; c++) {
      sums[c] /= scale;
    }
    return sums;
  }

  private double[] sums(Elements own, FloatBuffer gradients) {
    FloatBuffer values = own.values();
    double[] sums = new double[steps.length];
    int run = own.channels().length();
    for (int start = 0; start < values.capacity(); start += run) {
      int channel = own.channel(start);
      double step = steps[channel];
      double sum = 0;
      for (int i = start; i < start + run; i++) {
        double code = values.get(i) / step;
        double gradient = gradients.get(i);
        if (code > minCode && code < maxCode) {
          sum += gradient * (Math.rint(code) - code);
        } else {
          sum += gradient * (code <= minCode ? minCode : maxCode);
          gradients.put(i, 0);
        }
      }
      sums[channel] += sum;
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
