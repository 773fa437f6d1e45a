package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableSet;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.convert.WeightConversion;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.listeners.LimitedPrecisionBuilder;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.stats.WeightDifferences;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * Trains a network on with the weights and activations of a quantized model, so that it learns to
 * live with them: floats learn behind the codes, and the gradient passes rounding straight through,
 * but not where a value saturates.
 *
 * <p>Batch normalization is folded as in conversion, and what cannot be folded keeps its numbers.
 * Every weight, every bias of an integer sum and every value that is to be codes is rounded as
 * integers will have it, in the formats of the model, but for what leaves the network: the loss
 * sees that in floats. Updater, regularization and dropout are those of the network, unless {@link
 * #with} changes them; iterations and epochs count from 0.
 *
 * <pre>{@code
 * QuantizedModel tuned =
 *     MixedPrecisionFineTuning.of(network, plan, calibrationData)
 *         .with(new FineTuneConfiguration.Builder().updater(new Adam(3e-4)).build())
 *         .fit(train, 3)
 *         .model();
 * }</pre>
 *
 * <p>Values that a conversion made logarithmic ({@link Quantization#logarithmicActivations}) have
 * their levels searched again before each epoch but the first, in what was seen of them in the
 * epoch before; those of the last epoch are the model's. Where {@link FineTuningRun#network} is
 * trained in another way, the levels stay those of the conversion.
 *
 * <p>Where the plan comes from does not matter; {@link PrecisionBudget} makes one of what a
 * listener has recorded. Immutable; the network is only read.
 */
public final class MixedPrecisionFineTuning {
  private final Model network;
  private final Conversion conversion;
  private final FineTuningOptions options;

  /** Makes the model whose formats are kept; weights have codebooks if it knows how. */
  private interface Conversion {
    QuantizedModel of(Model floats, Optional<WeightConversion.Levels> levels);
  }

  /** The model is there already, whatever the network becomes. */
  private record Given(QuantizedModel model) implements Conversion {
    @Override
    public QuantizedModel of(Model floats, Optional<WeightConversion.Levels> levels) {
      return model;
    }
  }

  private MixedPrecisionFineTuning(
      Model network, Conversion conversion, FineTuningOptions options) {
    this.network = network;
    this.conversion = conversion;
    this.options = options;
  }

  private MixedPrecisionFineTuning with(FineTuningOptions other) {
    return new MixedPrecisionFineTuning(network, conversion, other);
  }

  /**
   * Starts from a trained network and the way in which it is quantized.
   *
   * @param conversion makes the model whose formats are kept; called again with the network in
   *     training where formats are chosen each epoch
   */
  public static MixedPrecisionFineTuning of(
      Model network, Function<Model, QuantizedModel> conversion) {
    return by(network, (floats, levels) -> conversion.apply(floats));
  }

  private static MixedPrecisionFineTuning by(Model network, Conversion conversion) {
    return new MixedPrecisionFineTuning(network, conversion, FineTuningOptions.defaults());
  }

  /** Starts from a trained network and a model that was made of it, which keeps its formats. */
  public static MixedPrecisionFineTuning of(Model network, QuantizedModel model) {
    return by(network, new Given(model));
  }

  /**
   * Starts from a trained network, a plan, and data to choose the formats of activations with.
   *
   * @param calibration can be reset
   */
  public static MixedPrecisionFineTuning of(
      Model network, PrecisionPlan plan, DataSetIterator calibration) {
    return by(
        network,
        (floats, levels) ->
            with(levels, Quantization.of(floats)).calibrate(calibration).convert(plan));
  }

  private static Quantization with(
      Optional<WeightConversion.Levels> levels, Quantization quantization) {
    return levels
        .map(own -> quantization.codebooks(own.codebooks(), own.layers()))
        .orElse(quantization);
  }

  /**
   * Does the same for data of several inputs.
   *
   * @param calibration can be reset
   */
  public static MixedPrecisionFineTuning of(
      Model network, PrecisionPlan plan, MultiDataSetIterator calibration) {
    return by(
        network,
        (floats, levels) ->
            with(levels, Quantization.of(floats)).calibrate(calibration).convert(plan));
  }

  /**
   * Starts from a trained network, what a {@link org.dl4jquant.listeners.WeightDifferenceListener}
   * recorded while it was trained, and what the plan may cost. The layers that are not lowered, and
   * activations, have 8 bits; {@link PrecisionBudget#plan} gives the plan of another start.
   *
   * @param calibration can be reset
   * @throws IllegalArgumentException if another network was watched, or the budget cannot be met
   * @throws IllegalStateException if no cycle of training was seen
   */
  public static MixedPrecisionFineTuning of(
      Model network,
      WeightDifferences recorded,
      PrecisionBudget budget,
      DataSetIterator calibration) {
    return of(
        network,
        budget.plan(Quantization.of(network).calibrate(calibration), recorded),
        calibration);
  }

  /** Changes updater, schedule, regularization, dropout or seed, as in DL4J's transfer learning. */
  public MixedPrecisionFineTuning with(FineTuneConfiguration other) {
    return with(options.with(other));
  }

  /** Leaves dropout out, which few bits need less than floats do. */
  public MixedPrecisionFineTuning withoutDropout() {
    return with(options.withoutDropout());
  }

  /**
   * Converts anew before each epoch but the first, so that formats follow weights and activations;
   * {@link FineTuningRun#network} is then another one each epoch.
   *
   * @throws IllegalStateException if the model was given, so that there is no way to convert
   */
  public MixedPrecisionFineTuning choosingFormatsEachEpoch() {
    requireConversion("choose formats each epoch");
    return with(options.choosingFormatsEachEpoch());
  }

  private void requireConversion(String purpose) {
    Checks.state(
        !(conversion instanceof Given),
        "to %s takes a plan or a way to convert, not a model that is converted",
        purpose);
  }

  /**
   * Gives the weights of all layers levels of weighted entropy, clustered anew each epoch. Where a
   * plan is given, conversion rounds to them adaptively; layers of a model that has none for them,
   * see {@link Quantization#codebooks(WeightedEntropyCodebooks)}, start from their nearest levels,
   * which is the worse start.
   */
  public MixedPrecisionFineTuning withCodebooks(WeightedEntropyCodebooks books) {
    return withCodebooks(books, layer -> true);
  }

  /** Gives the weights of some layers levels of weighted entropy, clustered anew each epoch. */
  public MixedPrecisionFineTuning withCodebooks(
      WeightedEntropyCodebooks books, Predicate<String> layers) {
    return with(options.withCodebooks(books, layers));
  }

  /**
   * Lets the weights themselves lie on their grids, with what each update leaves below the last
   * digit in a buffer of few bits (methods C and D), instead of floats that learn behind them:
   *
   * <pre>{@code
   * tuning.withMasterWeights(ResidualGradientListener::builder)
   * tuning.withMasterWeights(() -> AccumulatedUpdateListener.builder().extraBits(10))
   * }</pre>
   *
   * <p>A weight whose codes are fixed-point is carried in their formats, channel by channel. One of
   * levels of weighted entropy is carried on a grid of {@value TrainingNetwork#LEVEL_GRID_BITS}
   * bits per channel, from which the nearest level is taken; its clusters are those of the fine
   * weights. Levels in layers that DL4J gives no weight noise keep their floats, as do biases.
   *
   * @param builders gives a new builder for each network that is trained; what it says of bits,
   *     formats and biases is not heeded, and layers that it does not select keep their floats
   */
  public MixedPrecisionFineTuning withMasterWeights(
      Supplier<? extends LimitedPrecisionBuilder<?>> builders) {
    return with(options.withMasters(builders));
  }

  /**
   * Learns the steps of fixed-point weights and of fixed-point values with the weights, instead of
   * keeping those that conversion chose (LSQ, Esser et al. 2020, equations 3 and 5): {@link
   * #withLearnedWeightSteps} and {@link #withLearnedActivationSteps} at the same rate.
   *
   * <p>Steps start from the formats of the model, per channel where those are, stay within a factor
   * of 16 of them, and end as the nearest powers of two: {@link #fit} trains its last epoch with
   * those, and {@link FineTuningRun#snapSteps} puts them in place before it. What they have learned
   * is saved with the network; the averages by which they learn, by {@link
   * FineTuningRun#saveState}.
   *
   * @param learningRate by how much of its first size a step changes in an iteration at most, or
   *     nearly: Adam's rate. A step comes to another power of two once it has changed by two
   *     fifths; 1e-3 for thousands of iterations and 3e-3 for some hundred are a beginning
   * @throws IllegalStateException if formats are chosen each epoch, or weights are carried by
   *     {@link #withMasterWeights}
   */
  public MixedPrecisionFineTuning withLearnedSteps(double learningRate) {
    return withLearnedWeightSteps(learningRate).withLearnedActivationSteps(learningRate);
  }

  /**
   * Learns the steps of weights alone. Layers that DL4J gives no weight noise and levels of
   * weighted entropy keep their formats.
   *
   * @param learningRate as in {@link #withLearnedSteps}
   * @throws IllegalStateException as {@link #withLearnedSteps}
   */
  public MixedPrecisionFineTuning withLearnedWeightSteps(double learningRate) {
    return with(options.with(options.steps().ofWeights(learningRate)));
  }

  /**
   * Learns the steps of values alone, also with {@link #withMasterWeights}: of what activation
   * functions give, and of inputs, averages, sums and concatenations. Values that are only moved
   * (pooled by their maximum, flattened, padded) have the steps of their origin, so that one step
   * serves the group. What goes into a function that is a table, logarithmic values, and what
   * leaves the network keep their formats.
   *
   * @param learningRate as in {@link #withLearnedSteps}
   * @throws IllegalStateException if formats are chosen each epoch
   */
  public MixedPrecisionFineTuning withLearnedActivationSteps(double learningRate) {
    return with(options.with(options.steps().ofActivations(learningRate)));
  }

  /** Converts the network and builds the one to train. */
  public FineTuningRun start() {
    return new FineTuningRun(this, begun(network), false);
  }

  /**
   * Starts with batch normalization alive, that is with the statistics of each batch: weights are
   * rounded in a network that is not folded, and activations stay floats, until {@link
   * FineTuningRun#freeze} converts what it has become and goes on as {@link #start} does. The
   * conversion must be one that looks at the network it is given.
   *
   * @throws IllegalStateException if the model was given, so that there is no way to convert
   */
  public FineTuningRun startWithLiveNormalization() {
    requireConversion("start with live normalization");
    PrecisionPlan planned = converted(network).plan();
    PrecisionPlan plan = PrecisionPlan.uniform(planned.fallback());
    Dl4jNetwork floats = Dl4jNetwork.of(network);
    for (Dl4jLayer layer : floats.layers()) {
      plan = plan.with(layer.name(), planned.of(layer.name()));
    }
    QuantizedModel weights = WeightConversion.DEFAULT.convert(floats, plan);
    return new FineTuningRun(this, training(floats, weights), true);
  }

  /**
   * Starts, and trains for some epochs, the last of them with steps that are powers of two where
   * steps are learned.
   */
  public FineTuningRun fit(DataSetIterator data, int epochs) {
    FineTuningRun run = start();
    return options.steps().any() && epochs > 1
        ? run.fit(data, epochs - 1).snapSteps().fit(data, 1)
        : run.fit(data, epochs).snapSteps();
  }

  /** Returns the settings with steps that stay what they are. */
  MixedPrecisionFineTuning withoutLearnedSteps() {
    return with(options.with(StepRates.NONE));
  }

  boolean choosesFormatsEachEpoch() {
    return options.formatsEachEpoch();
  }

  /** Returns the model that the conversion makes of a network. */
  QuantizedModel converted(Model floats) {
    return conversion.of(
        floats,
        options
            .codebooks()
            .map(books -> new WeightConversion.Levels(books, options.codebookLayers())));
  }

  /** Converts a network and builds the one to train, which starts with the numbers of its codes. */
  TrainingNetwork begun(Model floats) {
    QuantizedModel model = converted(floats);
    return training(model, floats, withoutCodebooks(model)::contains);
  }

  /** Converts the network in training anew and goes on with its floats, as far as they fit. */
  TrainingNetwork continued(Model floats) {
    return training(converted(floats), floats, layer -> true);
  }

  private TrainingNetwork training(QuantizedModel model, Model network, Predicate<String> floats) {
    ImmutableSet<String> open = withoutCodebooks(model);
    Dl4jNetwork start = StartingWeights.of(model, network, floats);
    return training(start, open.isEmpty() ? model : clustered(model, start, open::contains));
  }

  TrainingNetwork training(Dl4jNetwork floats, QuantizedModel model) {
    return TrainingNetwork.of(floats, model, options);
  }

  /** Returns the network of a run that was saved, but for its numbers. */
  TrainingNetwork training(RunState state) throws IOException {
    QuantizedModel model = state.model();
    return TrainingNetwork.of(model.plainNetwork(), model, options, state.grids());
  }

  /** Returns the layers that are to have codebooks and have none. */
  private ImmutableSet<String> withoutCodebooks(QuantizedModel model) {
    return options.codebooks().isEmpty()
        ? ImmutableSet.of()
        : model.layers().stream()
            .filter(layer -> options.codebookLayers().test(layer.name()))
            .filter(layer -> layer.parameters().stream().anyMatch(MixedPrecisionFineTuning::isOpen))
            .map(QuantizedLayer::name)
            .collect(ImmutableSet.toImmutableSet());
  }

  private static boolean isOpen(QuantizedParameter parameter) {
    return parameter.role() == ParameterRole.WEIGHT
        && parameter
            .codes()
            .filter(codes -> !(codes.formats().get(0) instanceof Codebook))
            .isPresent();
  }

  private QuantizedModel clustered(
      QuantizedModel model, Dl4jNetwork floats, Predicate<String> layers) {
    return options.codebooks().orElseThrow().apply(model, floats, layers);
  }

  /** Returns a model with codebooks of the weights as they are now, if there are to be any. */
  Optional<QuantizedModel> reclustered(QuantizedModel model, Dl4jNetwork floats) {
    return options.codebooks().map(books -> clustered(model, floats, options.codebookLayers()));
  }
}
