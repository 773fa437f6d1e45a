package org.dl4jquant.convert;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.calibrate.CalibrationResult;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.strategy.FormatStrategy;

/**
 * Quantization of weights and activations: from a float network, a plan and what calibration saw to
 * a model that computes in integers.
 *
 * <p>The network is folded first ({@link FoldedNetwork}). Weights get a format per output channel;
 * a normalization that stands alone gets factors of 16 bits. Each value that integers use gets a
 * format per channel, or one as a whole, as the {@link Target} asks for it. Biases are codes on the
 * grid of their sums, of at most 25 bits.
 *
 * <p>Immutable and thread-safe; the network is only read.
 *
 * @param weights how weights become codes
 * @param activations chooses the format of a value from its profile
 * @param outputBits of values that nothing in integers uses, such as logits; at least as many as
 *     the plan gives the layer; with 12 bits or more, twice the range that was seen fits
 * @param correctsBias whether the mean error of rounded weights is taken out of the biases
 * @param target what is to compute the network, if the plan leaves that open
 * @param adaptiveBits as soon as the weights of a layer have at most so many bits, those of all
 *     layers are rounded adaptively, where calibration kept examples: up or down, as their layer's
 *     sums come nearest to those of the float network; 0 for never
 * @param alignment how channels of different ranges meet; empty for what suits target and scheme
 * @param scheme the kind of numbers, if the plan leaves that open
 * @param logarithmic formats for what a ReLU gives; empty to leave them uniform
 */
public record Conversion(
    WeightConversion weights,
    FormatStrategy activations,
    int outputBits,
    boolean correctsBias,
    Target target,
    int adaptiveBits,
    Optional<Alignment> alignment,
    Scheme scheme,
    Optional<LogarithmicActivations> logarithmic) {
  /** What is rounded adaptively unless asked otherwise: wider codes hardly gain. */
  public static final int ADAPTIVE_BITS = 8;

  /**
   * Minimal squared error for weights and activations, outputs of 16 bits, corrected biases, for
   * {@code IntegerNetwork}.
   */
  public static final Conversion DEFAULT =
      new Conversion(
          WeightConversion.DEFAULT,
          FormatStrategy.minMse(),
          16,
          true,
          Target.INTEGER,
          ADAPTIVE_BITS,
          Optional.empty(),
          Scheme.FIXED_POINT,
          Optional.empty());

  /** The bits of the factors of a normalization that stands alone. */
  static final int FACTOR_BITS = 16;

  public Conversion {
    Checks.inRange("outputBits", outputBits, 4, ActivationFormat.MAX_BIT_WIDTH);
    Checks.inRange("adaptiveBits", adaptiveBits, 0, ActivationFormat.MAX_BIT_WIDTH);
  }

  /** Returns this with other formats and codes of weights. */
  public Conversion withWeights(WeightConversion other) {
    return new Conversion(
        other,
        activations,
        outputBits,
        correctsBias,
        target,
        adaptiveBits,
        alignment,
        scheme,
        logarithmic);
  }

  /** Returns this with another strategy for activations. */
  public Conversion withActivations(FormatStrategy other) {
    return new Conversion(
        weights,
        other,
        outputBits,
        correctsBias,
        target,
        adaptiveBits,
        alignment,
        scheme,
        logarithmic);
  }

  /** Returns this with another number of bits for what leaves the integers. */
  public Conversion withOutputBits(int bits) {
    return new Conversion(
        weights,
        activations,
        bits,
        correctsBias,
        target,
        adaptiveBits,
        alignment,
        scheme,
        logarithmic);
  }

  /** Returns this with or without bias correction. */
  public Conversion withBiasCorrection(boolean corrects) {
    return new Conversion(
        weights,
        activations,
        outputBits,
        corrects,
        target,
        adaptiveBits,
        alignment,
        scheme,
        logarithmic);
  }

  /** Returns this for what is to compute the network, where the plan leaves that open. */
  public Conversion withTarget(Target other) {
    return new Conversion(
        weights,
        activations,
        outputBits,
        correctsBias,
        other,
        adaptiveBits,
        alignment,
        scheme,
        logarithmic);
  }

  /** Returns this with adaptive rounding as soon as weights have so few bits; 0 for never. */
  public Conversion withAdaptiveRounding(int bits) {
    return new Conversion(
        weights,
        activations,
        outputBits,
        correctsBias,
        target,
        bits,
        alignment,
        scheme,
        logarithmic);
  }

  /** Returns this with another way in which channels of different ranges meet. */
  public Conversion withAlignment(Alignment other) {
    return new Conversion(
        weights,
        activations,
        outputBits,
        correctsBias,
        target,
        adaptiveBits,
        Optional.of(other),
        scheme,
        logarithmic);
  }

  /** Returns this for a kind of numbers, where the plan leaves that open. */
  public Conversion withScheme(Scheme other) {
    return new Conversion(
        weights,
        activations,
        outputBits,
        correctsBias,
        target,
        adaptiveBits,
        alignment,
        other,
        logarithmic);
  }

  /**
   * Returns this with logarithmic formats for what a ReLU gives; the calibration must have been one
   * {@link org.dl4jquant.calibrate.Calibration#withLogarithms}.
   */
  public Conversion withLogarithmic(LogarithmicActivations levels) {
    return new Conversion(
        weights,
        activations,
        outputBits,
        correctsBias,
        target,
        adaptiveBits,
        alignment,
        scheme,
        Optional.of(levels));
  }

  /** Returns how channels meet: as was asked for, or what suits target and scheme. */
  Alignment alignment(Target to, Scheme numbers) {
    if (numbers == Scheme.FIXED_POINT) {
      return alignment(to);
    }
    Checks.that(
        logarithmic.isEmpty(),
        "scheme",
        "be fixed-point if activations are to be logarithmic",
        numbers.word());
    Alignment chosen = alignment.orElse(Alignment.NONE);
    Checks.that(
        chosen == Alignment.NONE,
        "alignment",
        "be none or not set for the scheme affine, whose formats are one per value",
        chosen.word());
    Checks.that(
        activations.choosesAffine(),
        "strategy",
        "be max-abs, percentile, sigma, mse, kl or auto for the scheme affine",
        activations);
    return chosen;
  }

  /** Returns how channels meet in fixed point for a target. */
  Alignment alignment(Target to) {
    Alignment chosen = alignment.orElse(Alignment.of(to));
    Checks.that(
        to == Target.INTEGER || !chosen.perChannel(),
        "alignment",
        "give a value one format for the target onnx, such as balanced",
        chosen.word());
    return chosen;
  }

  /**
   * Converts a network.
   *
   * @param profiles of the values of the network's graph, by the names of the nodes; of the network
   *     as it is given or of its folded form
   * @throws IllegalArgumentException if a weight is NaN or infinite, the plan names a layer that
   *     the network lacks, a value that is to become codes has no profile, or the target does not
   *     compute the alignment, or the scheme knows no such alignment or strategy
   */
  public QuantizedModel convert(
      Dl4jNetwork network, PrecisionPlan plan, Function<String, Optional<TensorProfile>> profiles) {
    FoldedNetwork folded = FoldedNetwork.of(network);
    Observations seen =
        new Observations(named(folded, profiles), any -> Optional.empty(), Optional.empty());
    return new ConversionRun(this, folded, plan, seen).model(network.fingerprint());
  }

  /**
   * Converts a network by what a calibration of it, or of its folded form, saw.
   *
   * @throws IllegalArgumentException as above, or if another network was calibrated, or a sum might
   *     exceed 63 bits; the message names the node
   */
  public QuantizedModel convert(
      Dl4jNetwork network, PrecisionPlan plan, CalibrationResult calibration) {
    return convert(network, plan, calibration, Optional.empty());
  }

  /**
   * Does the same with examples, without which nothing is rounded adaptively.
   *
   * @param examples of the calibration
   * @throws IllegalArgumentException as above
   */
  public QuantizedModel convert(
      Dl4jNetwork network,
      PrecisionPlan plan,
      CalibrationResult calibration,
      Optional<CalibrationExamples> examples) {
    FoldedNetwork folded =
        FoldedNetwork.of(
            calibration.inputShapes().isEmpty()
                ? network
                : network.withInputShapes(calibration.inputShapes()));
    Checks.that(
        calibration.network().equals(network.fingerprint())
            || calibration.network().equals(folded.network().fingerprint()),
        "calibration",
        "be of this network",
        "one of another network, or of other parameters");
    Observations seen =
        new Observations(
            named(folded, calibration::profile), named(folded, calibration::logarithms), examples);
    QuantizedModel model = new ConversionRun(this, folded, plan, seen).model(network.fingerprint());
    requireSums(model);
    return model.with(
        model.provenance().calibratedOn(calibration.examples(), calibration.leftOut()));
  }

  /** What is too far apart to be added exactly is told here, not when the integers are built. */
  private static void requireSums(QuantizedModel model) {
    if (model.activations().isEmpty()) {
      return;
    }
    try {
      model.accumulatorBits();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(e.getMessage() + "; or keep it float", e);
    }
  }

  /** What a folded layer gives is what the normalization gave before. */
  private static <T> Function<String, Optional<T>> named(
      FoldedNetwork folded, Function<String, Optional<T>> profiles) {
    Map<String, String> original = new HashMap<>();
    folded.folded().forEach((batchNorm, producer) -> original.put(producer, batchNorm));
    return name -> profiles.apply(original.getOrDefault(name, name)).or(() -> profiles.apply(name));
  }
}
