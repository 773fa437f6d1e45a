package org.dl4jquant.finetune;

import java.util.Optional;
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
 * @param masters makes what carries the weights on their grids; floats learn behind them if absent
 * @param steps at which steps are learned
 */
record FineTuningOptions(
    Optional<FineTuneConfiguration> changes,
    boolean dropout,
    boolean formatsEachEpoch,
    Optional<WeightedEntropyCodebooks> codebooks,
    Predicate<String> codebookLayers,
    Optional<Supplier<? extends LimitedPrecisionBuilder<?>>> masters,
    StepRates steps) {
  FineTuningOptions {
    Checks.state(
        steps.weights().isEmpty() || masters.isEmpty(),
        "steps of weights are learned with floats behind the codes, not with master weights");
    Checks.state(
        !steps.any() || !formatsEachEpoch, "steps are either learned or chosen each epoch");
  }

  static FineTuningOptions defaults() {
    return new FineTuningOptions(
        Optional.empty(),
        true,
        false,
        Optional.empty(),
        layer -> true,
        Optional.empty(),
        StepRates.NONE);
  }

  FineTuningOptions with(FineTuneConfiguration other) {
    return new FineTuningOptions(
        Optional.of(other), dropout, formatsEachEpoch, codebooks, codebookLayers, masters, steps);
  }

  FineTuningOptions withoutDropout() {
    return new FineTuningOptions(
        changes, false, formatsEachEpoch, codebooks, codebookLayers, masters, steps);
  }

  FineTuningOptions choosingFormatsEachEpoch() {
    return new FineTuningOptions(changes, dropout, true, codebooks, codebookLayers, masters, steps);
  }

  FineTuningOptions withCodebooks(WeightedEntropyCodebooks books, Predicate<String> layers) {
    return new FineTuningOptions(
        changes, dropout, formatsEachEpoch, Optional.of(books), layers, masters, steps);
  }

  FineTuningOptions withMasters(Supplier<? extends LimitedPrecisionBuilder<?>> builders) {
    return new FineTuningOptions(
        changes,
        dropout,
        formatsEachEpoch,
        codebooks,
        codebookLayers,
        Optional.of(builders),
        steps);
  }

  FineTuningOptions with(StepRates rates) {
    return new FineTuningOptions(
        changes, dropout, formatsEachEpoch, codebooks, codebookLayers, masters, rates);
  }
}
