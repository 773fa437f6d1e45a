package org.dl4jquant.finetune;

import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightConversion;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.precision.PrecisionPlan;
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
 * <p>Where the plan comes from does not matter; {@link Quantization#search} finds one from what a
 * listener has recorded and a budget. Immutable; the network is only read.
 */
public final class MixedPrecisionFineTuning {
  private final Model network;
  private final Function<Model, QuantizedModel> conversion;
  private final Optional<FineTuneConfiguration> changes;
  private final boolean dropout;
  private final boolean formatsEachEpoch;
  private final Optional<WeightedEntropyCodebooks> codebooks;
  private final Predicate<String> codebookLayers;

  private MixedPrecisionFineTuning(
      Model network,
      Function<Model, QuantizedModel> conversion,
      Optional<FineTuneConfiguration> changes,
      boolean dropout,
      boolean formatsEachEpoch,
      Optional<WeightedEntropyCodebooks> codebooks,
      Predicate<String> codebookLayers) {
    this.network = network;
    this.conversion = conversion;
    this.changes = changes;
    this.dropout = dropout;
    this.formatsEachEpoch = formatsEachEpoch;
    this.codebooks = codebooks;
    this.codebookLayers = codebookLayers;
  }

  /**
   * Starts from a trained network and the way in which it is quantized.
   *
   * @param conversion makes the model whose formats are kept; called again with the network in
   *     training where formats are chosen each epoch
   */
  public static MixedPrecisionFineTuning of(
      Model network, Function<Model, QuantizedModel> conversion) {
    return new MixedPrecisionFineTuning(
        network, conversion, Optional.empty(), true, false, Optional.empty(), layer -> true);
  }

  /** Starts from a trained network and a model that was made of it. */
  public static MixedPrecisionFineTuning of(Model network, QuantizedModel model) {
    return of(network, any -> model);
  }

  /**
   * Starts from a trained network, a plan, and data to choose the formats of activations with.
   *
   * @param calibration can be reset
   */
  public static MixedPrecisionFineTuning of(
      Model network, PrecisionPlan plan, DataSetIterator calibration) {
    return of(network, any -> Quantization.of(any).calibrate(calibration).convert(plan));
  }

  /**
   * Does the same for data of several inputs.
   *
   * @param calibration can be reset
   */
  public static MixedPrecisionFineTuning of(
      Model network, PrecisionPlan plan, MultiDataSetIterator calibration) {
    return of(network, any -> Quantization.of(any).calibrate(calibration).convert(plan));
  }

  /** Changes updater, schedule, regularization, dropout or seed, as in DL4J's transfer learning. */
  public MixedPrecisionFineTuning with(FineTuneConfiguration other) {
    return new MixedPrecisionFineTuning(
        network,
        conversion,
        Optional.of(other),
        dropout,
        formatsEachEpoch,
        codebooks,
        codebookLayers);
  }

  /** Leaves dropout out, which few bits need less than floats do. */
  public MixedPrecisionFineTuning withoutDropout() {
    return new MixedPrecisionFineTuning(
        network, conversion, changes, false, formatsEachEpoch, codebooks, codebookLayers);
  }

  /**
   * Converts anew before each epoch but the first, so that formats follow weights and activations;
   * {@link FineTuningRun#network} is then another one each epoch.
   */
  public MixedPrecisionFineTuning choosingFormatsEachEpoch() {
    return new MixedPrecisionFineTuning(
        network, conversion, changes, dropout, true, codebooks, codebookLayers);
  }

  /** Gives the weights of all layers levels of weighted entropy, clustered anew each epoch. */
  public MixedPrecisionFineTuning withCodebooks(WeightedEntropyCodebooks books) {
    return withCodebooks(books, layer -> true);
  }

  /** Gives the weights of some layers levels of weighted entropy, clustered anew each epoch. */
  public MixedPrecisionFineTuning withCodebooks(
      WeightedEntropyCodebooks books, Predicate<String> layers) {
    return new MixedPrecisionFineTuning(
        network, conversion, changes, dropout, formatsEachEpoch, Optional.of(books), layers);
  }

  /** Converts the network and builds the one to train. */
  public FineTuningRun start() {
    QuantizedModel model = converted(network);
    return new FineTuningRun(this, training(TrainingNetwork.like(model, network), model), false);
  }

  /**
   * Starts with batch normalization alive, that is with the statistics of each batch: weights are
   * rounded in a network that is not folded, and activations stay floats, until {@link
   * FineTuningRun#freeze} converts what it has become and goes on as {@link #start} does. The
   * conversion must be one that looks at the network it is given.
   */
  public FineTuningRun startWithLiveNormalization() {
    PrecisionPlan planned = converted(network).plan();
    PrecisionPlan plan = PrecisionPlan.uniform(planned.fallback());
    Dl4jNetwork floats = Dl4jNetwork.of(network);
    for (Dl4jLayer layer : floats.layers()) {
      plan = plan.with(layer.name(), planned.of(layer.name()));
    }
    QuantizedModel weights = WeightConversion.DEFAULT.convert(floats, plan);
    return new FineTuningRun(this, training(floats, weights), true);
  }

  /** Starts, and trains for some epochs. */
  public FineTuningRun fit(DataSetIterator data, int epochs) {
    return start().fit(data, epochs);
  }

  boolean choosesFormatsEachEpoch() {
    return formatsEachEpoch;
  }

  QuantizedModel converted(Model floats) {
    QuantizedModel model = conversion.apply(floats);
    return reclustered(model, TrainingNetwork.like(model, floats)).orElse(model);
  }

  /** Returns a model with codebooks of the weights as they are now, if there are to be any. */
  Optional<QuantizedModel> reclustered(QuantizedModel model, Dl4jNetwork floats) {
    return codebooks.map(books -> books.apply(model, floats, codebookLayers));
  }

  TrainingNetwork training(Dl4jNetwork floats, QuantizedModel model) {
    return TrainingNetwork.of(floats, model, changes, dropout);
  }
}
