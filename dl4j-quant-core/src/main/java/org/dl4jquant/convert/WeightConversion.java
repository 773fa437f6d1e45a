package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.internal.NearNames;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.strategy.WeightStrategy;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Weight-only quantization of every parameterized layer: one format per output channel of a weight,
 * one per bias, of the scheme that the plan names, or else fixed point; normalization statistics
 * stay as they are.
 *
 * <p>A channel of zeros gets the median fractional length of the others, and one of almost zeros no
 * step that is more than 2^{@value #MAX_SPREAD} times finer than the coarsest: what training has
 * left of a dead channel must not decide how wide sums are. Immutable and thread-safe; the network
 * is only read.
 *
 * @param strategy chooses the format of a channel
 * @param strategyName what the provenance calls it
 * @param rounding how weights become codes; half to even unless asked otherwise
 * @param levels codebooks for the weights of some layers in place of those formats, if there are to
 *     be any
 */
public record WeightConversion(
    WeightStrategy strategy, String strategyName, Rounding rounding, Optional<Levels> levels) {
  private static final int MAX_SPREAD = 20;

  /** The smallest magnitude that counts as not zero: the smallest normal float. */
  private static final float SMALLEST = Float.MIN_NORMAL;

  /** Minimal squared error per channel, rounded half to even. */
  public static final WeightConversion DEFAULT =
      new WeightConversion(WeightStrategy.minMse(), "min-mse", Rounding.HALF_EVEN);

  /**
   * Which weights get codebooks.
   *
   * @param layers by name
   */
  public record Levels(WeightedEntropyCodebooks codebooks, Predicate<String> layers) {}

  /** Uniform formats for all weights. */
  public WeightConversion(WeightStrategy strategy, String strategyName, Rounding rounding) {
    this(strategy, strategyName, rounding, Optional.empty());
  }

  /** Returns this with levels of weighted entropy for the weights of some layers (method G). */
  public WeightConversion withLevels(WeightedEntropyCodebooks codebooks, Predicate<String> layers) {
    return new WeightConversion(
        strategy, strategyName, rounding, Optional.of(new Levels(codebooks, layers)));
  }

  /** Returns this without codebooks. */
  public WeightConversion uniform() {
    return new WeightConversion(strategy, strategyName, rounding);
  }

  /**
   * Converts a network.
   *
   * @throws IllegalArgumentException if a weight or bias that is to become codes is NaN or
   *     infinite, the plan names a layer that the network lacks, or codebooks are asked for where
   *     numbers are affine
   */
  public QuantizedModel convert(Dl4jNetwork network, PrecisionPlan plan) {
    ImmutableList<Dl4jLayer> layers = network.layers();
    ImmutableSet<String> names = network.names();
    for (String planned : plan.layers().keySet()) {
      Checks.that(
          names.contains(planned),
          "plan",
          "name layers or vertices of the network",
          "'" + planned + "', none of " + NearNames.listed(names) + NearNames.hint(planned, names));
    }
    Scheme scheme = plan.scheme().orElse(Scheme.FIXED_POINT);
    Checks.that(
        levels.isEmpty() || scheme == Scheme.FIXED_POINT,
        "scheme",
        "be fixed point where weights have codebooks",
        scheme);
    ImmutableList<QuantizedLayer> converted =
        layers.stream()
            .map(layer -> convert(layer, plan.of(layer.name()), scheme))
            .collect(ImmutableList.toImmutableList());
    return new QuantizedModel(
        new ModelContent(
            network.isGraph(),
            network.configuration(),
            converted,
            ImmutableMap.of(),
            plan,
            Provenance.of(network.fingerprint(), words(), ""),
            Attachments.NONE,
            network.inputShapes()));
  }

  /** Returns how weights get their formats, for the account of how a model was made. */
  String words() {
    return levels.isPresent() ? WeightedEntropyCodebooks.named(strategyName) : strategyName;
  }

  private QuantizedLayer convert(Dl4jLayer layer, LayerPrecision precision, Scheme scheme) {
    return new QuantizedLayer(
        layer.name(),
        layer.kind(),
        layer.parameters().stream()
            .map(parameter -> convert(parameter, precision, scheme))
            .collect(ImmutableList.toImmutableList()));
  }

  private QuantizedParameter convert(
      Dl4jParameter parameter, LayerPrecision precision, Scheme scheme) {
    ParameterRole role = parameter.layout().role();
    if (role == ParameterRole.STATISTIC) {
      return keep(parameter, "normalization statistics stay as they are");
    }
    if (parameter.layout().floatReason().isPresent()) {
      return keep(parameter, parameter.layout().floatReason().get());
    }
    if (precision.keepsFloatWeights()) {
      return keep(parameter, "the plan keeps this layer float");
    }
    if (role == ParameterRole.BIAS && precision.biasBits() == LayerPrecision.FLOAT_BITS) {
      return keep(parameter, "the plan keeps this layer's biases float");
    }
    parameter.requireFinite();
    Tensor tensor = parameter.tensor();
    return role == ParameterRole.WEIGHT
        ? quantize(parameter, tensor, precision.weightBits(), strategy, scheme)
        : quantize(parameter, tensor, precision.biasBits(), WeightStrategy.maxAbs(), scheme);
  }

  private QuantizedParameter quantize(
      Dl4jParameter parameter, Tensor tensor, int bitWidth, WeightStrategy choice, Scheme scheme) {
    Granularity granularity = parameter.layout().granularity();
    List<? extends NumberFormat> formats =
        codebooks(parameter).isPresent()
            ? codebooks(parameter).get().choose(tensor, granularity, bitWidth)
            : formats(tensor, granularity, bitWidth, choice, scheme);
    QuantizedTensor codes = QuantizedTensor.quantize(tensor, granularity, formats, rounding);
    double sqnr = Sqnr.decibels(tensor.values(), codes.dequantize().values());
    return QuantizedParameter.ofCodes(parameter.key(), parameter.layout().role(), codes, sqnr);
  }

  private Optional<WeightedEntropyCodebooks> codebooks(Dl4jParameter parameter) {
    return levels
        .filter(own -> parameter.isWeight() && own.layers().test(parameter.layer()))
        .map(Levels::codebooks);
  }

  /** Returns the codes of a weight with the formats that this conversion chooses. */
  QuantizedTensor quantized(Tensor tensor, Granularity granularity, int bitWidth, Scheme scheme) {
    List<? extends NumberFormat> formats = formats(tensor, granularity, bitWidth, strategy, scheme);
    return QuantizedTensor.quantize(tensor, granularity, formats, rounding);
  }

  private static List<? extends NumberFormat> formats(
      Tensor tensor, Granularity granularity, int bitWidth, WeightStrategy choice, Scheme scheme) {
    return scheme == Scheme.AFFINE
        ? AffineWeights.formats(tensor, granularity, bitWidth, choice)
        : fixedPoint(tensor, granularity, bitWidth, choice);
  }

  private static List<FixedPointFormat> fixedPoint(
      Tensor tensor, Granularity granularity, int bitWidth, WeightStrategy choice) {
    List<FixedPointFormat> formats = new ArrayList<>();
    List<Integer> zeroChannels = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    for (float[] channel : Channels.of(tensor, granularity)) {
      if (isZero(channel)) {
        zeroChannels.add(formats.size());
        formats.add(FixedPointFormat.signed(bitWidth, 0));
      } else {
        FixedPointFormat format = choice.choose(channel, bitWidth);
        formats.add(format);
        lengths.add(format.fractionalLength());
      }
    }
    lengths.sort(null);
    int median = lengths.isEmpty() ? 0 : lengths.get(lengths.size() / 2);
    zeroChannels.forEach(i -> formats.set(i, FixedPointFormat.signed(bitWidth, median)));
    int finest = lengths.isEmpty() ? 0 : lengths.get(0) + MAX_SPREAD;
    formats.replaceAll(
        format -> format.withFractionalLength(Math.min(finest, format.fractionalLength())));
    return formats;
  }

  /** Returns whether all weights of a channel count as zero. */
  static boolean isZero(float[] channel) {
    for (float value : channel) {
      if (Math.abs(value) >= SMALLEST) {
        return false;
      }
    }
    return true;
  }

  private static QuantizedParameter keep(Dl4jParameter parameter, String reason) {
    return QuantizedParameter.ofValues(
        parameter.key(), parameter.layout().role(), parameter.value().dup(), reason);
  }
}
