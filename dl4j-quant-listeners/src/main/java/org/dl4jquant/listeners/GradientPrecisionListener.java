package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.GradientPrecision;
import org.dl4jquant.update.GradientStatistics;
import org.dl4jquant.update.Tuning;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gives each layer's gradient the digits of a fixed-point format before the updater sees it, so
 * that, together with a {@link LimitedPrecisionListener}, weights, gradients and residuals each
 * have a width of their own.
 *
 * <p>What is rounded is DL4J's raw gradient: summed over the batch, before clipping, weight decay
 * and the learning rate. Weights and biases of frozen layers and running statistics are left alone;
 * so are gradients that are not finite. The error signal between layers stays float; for that of a
 * head see {@link RoundedErrorLoss}.
 *
 * <p>Keeps no state but counters. Not thread-safe; for one training thread.
 */
public final class GradientPrecisionListener extends BaseTrainingListener {
  private final ImmutableList<LayerPattern> layers;
  private final ImmutableMap<LayerPattern, GradientPrecision> precisions;
  private final GradientPrecision precision;
  private final Optional<LimitedPrecisionListener> carrier;
  private final Map<String, GradientStatistics> statistics = new LinkedHashMap<>();
  private @Nullable Model checked;

  private GradientPrecisionListener(Builder builder) {
    layers = ImmutableList.copyOf(builder.layers);
    precision = GradientPrecision.dynamic(builder.bitWidth).withTuning(builder.tuning);
    ImmutableMap.Builder<LayerPattern, GradientPrecision> own = ImmutableMap.builder();
    builder.bitWidths.forEach(
        (pattern, bits) ->
            own.put(pattern, GradientPrecision.dynamic(bits).withTuning(builder.tuning)));
    precisions = own.buildOrThrow();
    carrier = builder.carrier;
  }

  /** Returns a builder with 8-bit gradients of all layers in dynamic fixed point. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public void onGradientCalculation(Model model) {
    if (!NetworkParameters.isNetwork(model)) {
      return;
    }
    INDArray gradient = NetworkParameters.flatGradient(model);
    if (gradient == null) {
      return;
    }
    ImmutableList<NetworkParameter> parameters = NetworkParameters.of(model);
    if (checked != model) {
      checkPatterns(parameters);
      checked = model;
    }
    ImmutableMap<String, FixedPointFormat> residuals =
        carrier.map(LimitedPrecisionListener::residualFormats).orElse(ImmutableMap.of());
    for (NetworkParameter parameter : parameters) {
      if (selects(parameter)) {
        long length = parameter.array().length();
        FixedPointFormat residual = residuals.get(parameter.name());
        GradientPrecision own = precisionOf(parameter.layer());
        GradientPrecision tuned =
            residual == null ? own : own.withFractionalLength(residual.fractionalLength());
        GradientStatistics seen =
            tuned.round(
                NativeValues.view(
                    "the gradient of " + parameter.name(),
                    gradient,
                    NativeValues.offset(parameter.name(), parameter.array(), model.params()),
                    length));
        statistics.merge(parameter.name(), seen, GradientStatistics::and);
      }
    }
  }

  private boolean selects(NetworkParameter parameter) {
    return (parameter.weight() || parameter.bias())
        && !parameter.frozen()
        && (layers.isEmpty() || layers.stream().anyMatch(known -> known.test(parameter.layer())));
  }

  private GradientPrecision precisionOf(String layer) {
    GradientPrecision found = precision;
    for (Map.Entry<LayerPattern, GradientPrecision> own : precisions.entrySet()) {
      found = own.getKey().test(layer) ? own.getValue() : found;
    }
    return found;
  }

  private void checkPatterns(ImmutableList<NetworkParameter> parameters) {
    Set<String> names = new LinkedHashSet<>();
    parameters.forEach(parameter -> names.add(parameter.layer()));
    Set<LayerPattern> patterns = new LinkedHashSet<>(layers);
    patterns.addAll(precisions.keySet());
    for (LayerPattern pattern : patterns) {
      Checks.that(
          names.stream().anyMatch(pattern), "layers", "match a layer of " + names, pattern.text());
    }
  }

  /** Returns what has happened to the gradient of each parameter since the start. */
  public ImmutableMap<String, GradientStatistics> statistics() {
    return ImmutableMap.copyOf(statistics);
  }

  /** Collects the options. Not thread-safe. */
  public static final class Builder {
    private static final int DEFAULT_BIT_WIDTH = 8;

    private final List<LayerPattern> layers = new ArrayList<>();
    private final Map<LayerPattern, Integer> bitWidths = new LinkedHashMap<>();
    private int bitWidth = DEFAULT_BIT_WIDTH;
    private Tuning tuning = Tuning.ROUND;
    private Optional<LimitedPrecisionListener> carrier = Optional.empty();

    private Builder() {}

    /**
     * Rounds the gradients of the layers of these names or patterns, in addition to those named
     * before. All layers, if none is named. A pattern that matches no layer is an error at the
     * first iteration.
     */
    @CanIgnoreReturnValue
    public Builder layers(String... patterns) {
      for (String pattern : patterns) {
        layers.add(new LayerPattern(pattern));
      }
      return this;
    }

    /** Sets the bits of a gradient, 2 to 24. Default 8. */
    @CanIgnoreReturnValue
    public Builder bitWidth(int bits) {
      bitWidth = GradientPrecision.dynamic(bits).bitWidth();
      return this;
    }

    /** Sets the bits of some layers' gradients; the last pattern that matches counts. */
    @CanIgnoreReturnValue
    public Builder bitWidth(String pattern, int bits) {
      LayerPattern key = new LayerPattern(pattern);
      bitWidths.remove(key);
      bitWidths.put(key, GradientPrecision.dynamic(bits).bitWidth());
      return this;
    }

    /** Sets what becomes of the part below the last digit. Default {@link Tuning#ROUND}. */
    @CanIgnoreReturnValue
    public Builder tuning(Tuning rounding) {
      tuning = rounding;
      return this;
    }

    /**
     * Gives the gradients of carried parameters the last digit of their residuals (method D's
     * tuning) instead of one that follows their magnitude; what exceeds the bits goes to the end of
     * the range.
     */
    @CanIgnoreReturnValue
    public Builder digitsOf(LimitedPrecisionListener listener) {
      carrier = Optional.of(listener);
      return this;
    }

    /** Returns the listener. */
    public GradientPrecisionListener build() {
      return new GradientPrecisionListener(this);
    }
  }
}
