package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.ReadOut;
import org.dl4jquant.update.Saturation;
import org.dl4jquant.update.Tuning;
import org.dl4jquant.update.UpdateRule;

/**
 * The options that all limited-precision listeners share. Not thread-safe.
 *
 * @param <B> the builder itself
 */
public abstract class LimitedPrecisionBuilder<B extends LimitedPrecisionBuilder<B>> {
  private static final int DEFAULT_BIT_WIDTH = 8;

  private final List<Predicate<String>> layers = new ArrayList<>();
  private final Map<LayerPattern, Integer> bitWidths = new LinkedHashMap<>();
  private final Map<LayerPattern, Integer> fractionalLengths = new LinkedHashMap<>();
  private final Map<String, GivenFormats> formats = new LinkedHashMap<>();
  private boolean biases;
  private int bitWidth = DEFAULT_BIT_WIDTH;
  private int headroomBits = 1;
  private int extraBits = UpdateRule.DEFAULT_EXTRA_BITS;
  private Saturation saturation = Saturation.CLAMP;
  private Tuning tuning = Tuning.ROUND;
  private int period = 1;
  private int thresholdExponent;
  private ReadOut readOut;
  private long seed;

  LimitedPrecisionBuilder(ReadOut readOut) {
    this.readOut = readOut;
  }

  /**
   * Carries the layers of these names or patterns ({@code *} any text, {@code ?} any character), in
   * addition to those named before. All layers, if none is named. A layer without a name goes by
   * its index. A pattern that matches no layer is an error at the first binding.
   */
  @CanIgnoreReturnValue
  public final B layers(String... patterns) {
    for (String pattern : patterns) {
      layers.add(new LayerPattern(pattern));
    }
    return self();
  }

  /** Carries the layers whose names the predicate accepts, in addition to those named before. */
  @CanIgnoreReturnValue
  public final B layers(Predicate<String> accepted) {
    layers.add(accepted);
    return self();
  }

  /** Carries biases too, with the bits of their layer's weights. Default: weights only. */
  @CanIgnoreReturnValue
  public final B biases(boolean carried) {
    biases = carried;
    return self();
  }

  /** Sets the bits of the coarse weights, 2 to 24. Default 8. */
  @CanIgnoreReturnValue
  public final B bitWidth(int bits) {
    bitWidth = width(bits);
    return self();
  }

  /** Sets the bits of the coarse weights of some layers; the last pattern that matches counts. */
  @CanIgnoreReturnValue
  public final B bitWidth(String pattern, int bits) {
    put(bitWidths, pattern, width(bits));
    return self();
  }

  /**
   * Sets the fractional length of some layers' weights; the last pattern that matches counts.
   * Default: the finest that covers the largest weight at the start, see {@link #headroomBits}.
   */
  @CanIgnoreReturnValue
  public final B fractionalLength(String pattern, int length) {
    Checks.inRange(
        "fractionalLength",
        length,
        FixedPointFormat.MIN_FRACTIONAL_LENGTH,
        FixedPointFormat.MAX_FRACTIONAL_LENGTH);
    put(fractionalLengths, pattern, length);
    return self();
  }

  /**
   * Carries one parameter in these formats, such as those that a conversion chose, whatever is said
   * of bits and fractional lengths. Once one parameter has been given formats, only those that have
   * are carried. A parameter that the network lacks is an error at the first binding.
   *
   * @param granularity which weights of the parameter share a format
   * @param given one per channel; they differ in the fractional length alone
   */
  @CanIgnoreReturnValue
  public final B formats(
      String layer, String parameter, Granularity granularity, List<FixedPointFormat> given) {
    formats.put(
        layer + "." + parameter, new GivenFormats(granularity, ImmutableList.copyOf(given)));
    return self();
  }

  /**
   * Sets by how many powers of two the largest weight may grow from its start, 0 to 16, where the
   * fractional length is chosen. Default 1: training makes weights grow. A parameter of zeros is
   * taken as one of the range -1 to 1.
   */
  @CanIgnoreReturnValue
  public final B headroomBits(int bits) {
    headroomBits = Checks.inRange("headroomBits", bits, 0, 16);
    return self();
  }

  /** Sets the digits kept below the weight's last one, 1 to 30. Default 12. */
  @CanIgnoreReturnValue
  public final B extraBits(int bits) {
    extraBits = Checks.inRange("extraBits", bits, 1, 30);
    return self();
  }

  /** Sets what happens at the ends of the range. Default {@link Saturation#CLAMP}. */
  @CanIgnoreReturnValue
  public final B saturation(Saturation policy) {
    saturation = policy;
    return self();
  }

  /** Sets how an update gets the residual's digits. Default {@link Tuning#ROUND}. */
  @CanIgnoreReturnValue
  public final B tuning(Tuning rounding) {
    tuning = rounding;
    return self();
  }

  final B setPeriod(int iterations) {
    period = Checks.positive("period", iterations);
    return self();
  }

  final B setThresholdExponent(int exponent) {
    Checks.inRange("thresholdExponent", exponent, 0, UpdateRule.MAX_BIT_WIDTH - 2);
    thresholdExponent = exponent;
    return self();
  }

  final B setReadOut(ReadOut rule) {
    readOut = rule;
    return self();
  }

  final B setSeed(long value) {
    seed = value;
    return self();
  }

  /** Returns the listener. */
  public abstract LimitedPrecisionListener build();

  final CarrySettings settings() {
    return new CarrySettings(
        ImmutableList.copyOf(layers),
        biases,
        bitWidth,
        ImmutableMap.copyOf(bitWidths),
        ImmutableMap.copyOf(fractionalLengths),
        ImmutableMap.copyOf(formats),
        headroomBits,
        extraBits,
        thresholdExponent,
        period,
        readOut,
        saturation,
        tuning,
        seed);
  }

  private static int width(int bits) {
    return Checks.inRange("bitWidth", bits, 2, UpdateRule.MAX_BIT_WIDTH);
  }

  private static void put(Map<LayerPattern, Integer> values, String pattern, int value) {
    LayerPattern key = new LayerPattern(pattern);
    values.remove(key);
    values.put(key, value);
  }

  @SuppressWarnings("unchecked") // every builder is a builder of itself
  private B self() {
    return (B) this;
  }
}
