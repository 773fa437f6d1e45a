package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.Optional;
import org.dl4jquant.Quantization;
import org.dl4jquant.calibrate.FiniteExamples;
import org.dl4jquant.convert.Alignment;
import org.dl4jquant.convert.LogarithmicActivations;
import org.dl4jquant.datafile.LabeledExamples;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.terminal.Progress;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How what a network computes becomes integers, if it shall. */
final class CalibrationOptions {
  private static final int DEFAULT_BITS = 8;
  private static final int MIN_BITS = 4;
  private static final int MAX_BITS = 16;
  private static final String DEFAULT_STRATEGY = "mse";

  @Option(
      names = "--calibration",
      paramLabel = "FILE",
      description =
          "Representative data, as evaluate takes them, labels unused: the network is made to"
              + " compute in integers (default: none; only weights are quantized).")
  private @Nullable String calibration;

  @Option(
      names = "--activation-bits",
      paramLabel = "N",
      description =
          "Bits of a value between layers, 4 to 16; needs --calibration, and only without"
              + " --config (default: 8).")
  private @Nullable Integer activationBits;

  @Option(
      names = "--strategy",
      paramLabel = "NAME",
      description =
          "What chooses the number formats of values from what calibration saw: max-abs,"
              + " percentile (99.99, another as percentile:99.9), sigma (4, another as sigma:6),"
              + " mse, kl, pdf (also pdf:kurtosis, pdf:refined), channel-statistics or auto (value by value, by the error"
              + " of the outputs); needs --calibration (default:"
              + " mse).")
  private @Nullable String strategy;

  @Option(
      names = "--target",
      paramLabel = "NAME",
      description =
          "What is to compute the network: integer (a number format per channel, for evaluate"
              + " --engine integer, C and other fixed-point hardware) or onnx (one per value, for"
              + " the integer kernels of ONNX Runtime); needs --calibration, overrules --config"
              + " (default: what --config says, else integer).")
  private @Nullable String target;

  @Option(
      names = "--rounding",
      paramLabel = "NAME",
      description =
          "How weights become codes: nearest, or adaptive (up or down, as the sums of their layer"
              + " come nearest to those of the float network for some of the calibration data);"
              + " needs --calibration (default: adaptive for at most 8 bits, else nearest).")
  private @Nullable String rounding;

  @Option(
      names = "--alignment",
      paramLabel = "NAME",
      description =
          "How channels of different ranges meet in one sum: shift-max (a format for each) or"
              + " output (the same, biases on the output's grid) for --target integer; align-min or"
              + " balanced (layers trade powers of two) or none; needs --calibration (default:"
              + " shift-max for --target integer, balanced for onnx).")
  private @Nullable String alignment;

  @Option(
      names = "--scheme",
      paramLabel = "NAME",
      description =
          "What kind of numbers codes stand for: fixed-point (steps that are powers of two) or"
              + " affine (float scales and zero points, one format per value, for ONNX Runtime and"
              + " evaluate --engine integer, not for C), with --strategy max-abs, percentile, sigma,"
              + " mse, kl or auto; overrules --config (default: what --config says, else"
              + " fixed-point).")
  private @Nullable String scheme;

  @Option(
      names = "--logarithmic",
      paramLabel = "N",
      description =
          "Give what a ReLU gives logarithmic levels of weighted entropy, as many as the bits of a"
              + " value can name, on a fixed-point grid of N bits, 8 to 16; needs --calibration, not"
              + " with --scheme affine (default: uniform steps).")
  private @Nullable Integer logarithmic;

  private CalibrationOptions() {}

  /** Returns whether the network shall compute in integers. */
  boolean isWanted() {
    return calibration != null;
  }

  /** Returns whether the options say how many bits a value gets. */
  boolean statesBits() {
    return activationBits != null;
  }

  /** Checks the options together. */
  void check(CommandLine command) {
    boolean stated =
        activationBits != null
            || strategy != null
            || target != null
            || rounding != null
            || alignment != null
            || logarithmic != null;
    if (!isWanted() && stated) {
      String last = rounding != null ? "--rounding" : "--logarithmic";
      String late = alignment != null ? "--alignment" : last;
      String other = target != null ? "--target" : late;
      String option = strategy != null ? "--strategy" : other;
      throw new ParameterException(
          command,
          (activationBits != null ? "--activation-bits" : option)
              + " needs a --calibration file to learn the range of values from");
    }
    if (bits() < MIN_BITS || bits() > MAX_BITS) {
      throw new ParameterException(
          command, "--activation-bits must be between 4 and 16, found " + bits());
    }
    if (rounding != null && !rounding.equals("nearest") && !rounding.equals("adaptive")) {
      throw new ParameterException(
          command, "--rounding must be nearest or adaptive, found '" + rounding + "'");
    }
    if (logarithmic != null
        && (logarithmic < GridLevels.MIN_GRID_BITS || logarithmic > GridLevels.MAX_GRID_BITS)) {
      throw new ParameterException(
          command, "--logarithmic must be between 8 and 16, found " + logarithmic);
    }
    try {
      FormatStrategy.named(strategy());
      target();
      if (alignment != null) {
        Alignment.named(alignment);
      }
      scheme();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command, "--" + e.getMessage(), e);
    }
    if (scheme().equals(Optional.of(Scheme.AFFINE))) {
      checkAffine(command);
    }
  }

  private void checkAffine(CommandLine command) {
    if (!FormatStrategy.named(strategy()).choosesAffine()) {
      throw new ParameterException(
          command,
          "--strategy must be max-abs, percentile, sigma, mse, kl or auto with --scheme affine,"
              + " found '"
              + strategy()
              + "'");
    }
    if (alignment != null && Alignment.named(alignment) != Alignment.NONE) {
      throw new ParameterException(
          command,
          "--alignment must be none or left out with --scheme affine, found '" + alignment + "'");
    }
    if (logarithmic != null) {
      throw new ParameterException(
          command, "--logarithmic must be left out with --scheme affine, found " + logarithmic);
    }
  }

  /** Returns what is to compute the network, if the options say so. */
  Optional<Target> target() {
    return Optional.ofNullable(target).map(Target::named);
  }

  /** Returns the kind of numbers, if the options say so. */
  Optional<Scheme> scheme() {
    return Optional.ofNullable(scheme).map(Scheme::named);
  }

  int bits() {
    return activationBits == null ? DEFAULT_BITS : activationBits;
  }

  String strategy() {
    return strategy == null ? DEFAULT_STRATEGY : strategy;
  }

  /**
   * Runs the data through the network.
   *
   * @throws CommandFailedException if the network does not take them, or none is finite
   */
  Quantization calibrate(Quantization quantization, ModelFile file, DataOptions data) {
    if (calibration == null) {
      return quantization;
    }
    DataOptions.Data read = data.readAny(calibration, file);
    ImmutableList<INDArray> inputs = read.inputs();
    requireFit(file, inputs);
    requireFinite(read.examples(), inputs);
    int batches = new InputBatches(inputs, () -> {}).count();
    Quantization aligned =
        alignment == null ? quantization : quantization.alignment(Alignment.named(alignment));
    try (Progress progress = Progress.start("calibrating", batches)) {
      Quantization rounded =
          rounding == null ? aligned : aligned.adaptiveRounding(rounding.equals("adaptive"));
      Quantization levelled =
          logarithmic == null
              ? rounded
              : rounded.logarithmicActivations(new LogarithmicActivations(logarithmic));
      return levelled
          .activationBits(bits())
          .strategy(FormatStrategy.named(strategy()))
          .target(target().orElse(Target.INTEGER))
          .calibrate(new InputBatches(inputs, progress::step));
    }
  }

  private static void requireFinite(LabeledExamples examples, ImmutableList<INDArray> inputs) {
    if (FiniteExamples.of(inputs.toArray(new INDArray[0])).length == 0) {
      throw new CommandFailedException(
          examples.source()
              + ": must hold an example whose features are finite, found NaN or infinity in all "
              + examples.size());
    }
  }

  private static void requireFit(ModelFile file, ImmutableList<INDArray> inputs) {
    INDArray[] first = InputBatches.part(inputs, 0, 1);
    try {
      Dl4jNetwork.of(file.network()).output(first);
    } catch (RuntimeException e) { // whatever DL4J throws at shapes that do not fit
      throw InputShapes.misfit(file.source(), file.network(), inputs.toArray(new INDArray[0]), e);
    }
  }
}
