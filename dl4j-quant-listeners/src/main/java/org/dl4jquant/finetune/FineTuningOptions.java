package org.dl4jquant.finetune;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.listeners.LimitedPrecisionBuilder;

/**
 * What a fine-tuning is told beside the network and its conversion. Immutable.
 *
 * @param changes of updater, regularization and the like
 * @param dropout whether it stays
 * @param formatsEachEpoch whether the network is converted anew before each epoch
 * @param codebooks levels of weighted entropy for weights
 * @param codebookLayers which layers get them
 * @param stepLearningRate of the steps of weights, where they are learned
 * @param masters makes what carries the weights on their grids; floats learn behind them if absent
 */
record FineTuningOptions(
    Optional<FineTuneConfiguration> changes,
    boolean dropout,
    boolean formatsEachEpoch,
    Optional<WeightedEntropyCodebooks> codebooks,
    Predicate<String> codebookLayers,
    Optional<Supplier<? extends LimitedPrecisionBuilder<?>>> masters,
    OptionalDouble stepLearningRate) {
  FineTuningOptions {
    Checks.state(
        stepLearningRate.isEmpty() || masters.isEmpty(),
        "steps are learned with floats behind the codes, not with master weights of few bits");
    Checks.state(
        stepLearningRate.isEmpty() || !formatsEachEpoch,
        "steps are either learned or chosen each epoch");
  }

  static FineTuningOptions defaults() {
    return new FineTuningOptions(
        Optional.empty(),
        true,
        false,
        Optional.empty(),
        layer -> true,
        Optional.empty(),
        OptionalDouble.empty());
  }

  FineTuningOptions with(FineTuneConfiguration other) {
    return new FineTuningOptions(
        Optional.of(other),
        dropout,
        formatsEachEpoch,
        codebooks,
        codebookLayers,
        masters,
        stepLearningRate);
  }

  FineTuningOptions withoutDropout() {
    return new FineTuningOptions(
        changes, false, formatsEachEpoch, codebooks, codebookLayers, masters, stepLearningRate);
  }

  FineTuningOptions choosingFormatsEachEpoch() {
    return new FineTuningOptions(
        changes, dropout, true, codebooks, codebookLayers, masters, stepLearningRate);
  }

  FineTuningOptions withCodebooks(WeightedEntropyCodebooks books, Predicate<String> layers) {
    return new FineTuningOptions(
        changes, dropout, formatsEachEpoch, Optional.of(books), layers, masters, stepLearningRate);
  }

  FineTuningOptions withMasters(Supplier<? extends LimitedPrecisionBuilder<?>> builders) {
    return new FineTuningOptions(
        changes,
        dropout,
        formatsEachEpoch,
        codebooks,
        codebookLayers,
        Optional.of(builders),
        stepLearningRate);
  }

  FineTuningOptions withLearnedSteps(double learningRate) {
    Checks.positiveFinite("learningRate", learningRate);
    return new FineTuningOptions(
        changes,
        dropout,
        formatsEachEpoch,
        codebooks,
        codebookLayers,
        masters,
        OptionalDouble.of(learningRate));
  }
}
