package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Doubles;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.listeners.LimitedPrecisionListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/**
 * A fine-tuning that has begun: a network to train, and the model that comes of it.
 *
 * <p>Train {@link #network} in whatever way DL4J offers, by {@code fit}, an EarlyStoppingTrainer or
 * step by step, or let {@link #fit(DataSetIterator, int)} do it, which also chooses levels and
 * formats anew between epochs if it was asked to, and levels of logarithmic values in any case.
 * Then take {@link #model()}. Not thread-safe.
 */
public final class FineTuningRun {
  private MixedPrecisionFineTuning settings;
  private TrainingNetwork training;
  private boolean live;
  private int epochs;

  /**
   * Begins.
   *
   * @param live whether the network has not been converted yet
   */
  FineTuningRun(MixedPrecisionFineTuning settings, TrainingNetwork training, boolean live) {
    this.settings = settings;
    this.training = training;
    this.live = live;
  }

  /** Returns the network to train: a MultiLayerNetwork or ComputationGraph as the original. */
  public Model network() {
    return training.network();
  }

  /**
   * Returns the parameters, {@code layer/key}, whose layers DL4J gives no weight noise: a listener
   * of {@link #network} puts their codes in place after each iteration.
   */
  public ImmutableList<String> shadowed() {
    return ImmutableList.copyOf(training.shadows().parameters());
  }

  /**
   * Writes what ModelSerializer does not know of this run to a file of its own, whole or not at
   * all: the model whose formats the network computes with, the float weights behind {@link
   * #shadowed} parameters, the averages by which steps are learned, what {@link #masters} carry,
   * and the number of epochs. Save the network itself, updater included, without training in
   * between. What was seen of logarithmic values since their levels were searched is not kept.
   *
   * @throws java.io.UncheckedIOException if it cannot be written
   */
  public void saveState(Path file) {
    try {
      RunState.of(training, live, epochs).write(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  /**
   * Goes on where {@link #saveState} was called, with the same numbers, in a run of the same
   * settings: a new one that was just started, or one that has trained since. {@link #network} is
   * then another one, with the numbers of the saved one and the listeners of this run.
   *
   * @param saved what ModelSerializer restored, updater included; only read
   * @throws IllegalArgumentException if the file is no such state, damaged, or of other settings or
   *     another network; this run is then as it was
   */
  public void restoreState(Path file, Model saved) throws IOException {
    RunState state = RunState.read(file);
    Checks.that(
        parameters(state.model()).equals(parameters(training.model())),
        file.toString(),
        "be of a network with the parameters " + parameters(training.model()),
        parameters(state.model()));
    MixedPrecisionFineTuning own = state.learnsSteps() ? settings : settings.withoutLearnedSteps();
    TrainingNetwork next = own.training(state);
    long length = next.network().params().length();
    Checks.that(
        saved.getClass() == next.network().getClass() && saved.params().length() == length,
        "saved",
        "be a " + next.network().getClass().getSimpleName() + " of " + length + " parameters",
        saved.getClass().getSimpleName() + " of " + saved.params().length());
    next.network().params().assign(saved.params());
    state.restore(next);
    replace(next, saved);
    settings = own;
    live = state.live();
    epochs = state.epochs();
  }

  /** Returns the layers with the keys and lengths of their parameters. */
  private static ImmutableList<String> parameters(QuantizedModel model) {
    return model.layers().stream()
        .flatMap(
            layer ->
                layer.parameters().stream()
                    .map(own -> "%s/%s[%d]".formatted(layer.name(), own.key(), own.length())))
        .collect(ImmutableList.toImmutableList());
  }

  /**
   * Returns what carries the weights of {@link #network} on their grids, to be asked for its
   * statistics or saved beside the network, which {@link #saveState} does, too; empty if floats
   * learn behind them.
   */
  public Optional<LimitedPrecisionListener> masters() {
    return training.masters();
  }

  /** Trains for some epochs more. */
  @CanIgnoreReturnValue
  public FineTuningRun fit(DataSetIterator data, int more) {
    return fit(more, graph -> graph.fit(data), layers -> layers.fit(data));
  }

  /** Trains for some epochs more. */
  @CanIgnoreReturnValue
  public FineTuningRun fit(MultiDataSetIterator data, int more) {
    return fit(more, graph -> graph.fit(data), layers -> layers.fit(data));
  }

  private FineTuningRun fit(
      int more, Consumer<ComputationGraph> ofGraph, Consumer<MultiLayerNetwork> ofLayers) {
    Checks.that(more >= 0, "epochs", "not be negative", more);
    for (int epoch = 0; epoch < more; epoch++) {
      beginEpoch();
      if (network() instanceof ComputationGraph graph) {
        ofGraph.accept(graph);
      } else {
        ofLayers.accept((MultiLayerNetwork) network());
      }
    }
    return this;
  }

  /**
   * Converts the network as it is now, folded, and goes on with that: for the last epochs, after
   * {@link MixedPrecisionFineTuning#startWithLiveNormalization}. The updater starts afresh; {@link
   * #network} is another one.
   *
   * @throws IllegalStateException if normalization is not alive
   */
  @CanIgnoreReturnValue
  public FineTuningRun freeze() {
    Checks.state(live, "only a run that started with live normalization can be frozen, once");
    Model floats = training.floats().model();
    training = settings.begun(floats);
    epochs = 0;
    live = false;
    return this;
  }

  private void beginEpoch() {
    if (epochs > 0 && !live && settings.choosesFormatsEachEpoch()) {
      goOn(settings.continued(training.floats().model()));
    } else if (epochs > 0) {
      settings.reclustered(training.model(), training.floats()).ifPresent(training::use);
      training.searchLevels();
    }
    epochs++;
  }

  /** Goes on in a network of other formats, with the state of the updater and the listeners. */
  private void goOn(TrainingNetwork next) {
    replace(next, network());
  }

  /**
   * Goes on in another network, with the listeners of the present one.
   *
   * @param state has the state of the updater and the counts to go on with
   */
  private void replace(TrainingNetwork next, Model state) {
    Model before = network();
    if (before instanceof ComputationGraph now
        && state instanceof ComputationGraph from
        && next.network() instanceof ComputationGraph to) {
      to.addListeners(others(now.getListeners(), training));
      to.getConfiguration().setIterationCount(from.getIterationCount());
      to.getConfiguration().setEpochCount(from.getEpochCount());
      INDArray view = from.getUpdater(true).getStateViewArray();
      if (view != null) {
        to.getUpdater(true).setStateViewArray(view.dup());
      }
    } else if (before instanceof MultiLayerNetwork now
        && state instanceof MultiLayerNetwork from
        && next.network() instanceof MultiLayerNetwork to) {
      to.addListeners(others(now.getListeners(), training));
      to.setIterationCount(from.getIterationCount());
      to.setEpochCount(from.getEpochCount());
      INDArray view = from.getUpdater(true).getStateViewArray();
      if (view != null) {
        to.getUpdater(true).setStateViewArray(to, view.dup(), false);
      }
    }
    training = next;
  }

  private static TrainingListener[] others(
      Collection<TrainingListener> listeners, TrainingNetwork old) {
    return listeners.stream()
        .filter(listener -> listener != old.shadows())
        .filter(listener -> old.masters().filter(own -> own == listener).isEmpty())
        .filter(listener -> old.steps().filter(own -> own == listener).isEmpty())
        .toArray(TrainingListener[]::new);
  }

  /**
   * Returns the steps as they have been learned, those of weights by parameter, {@code layer/key},
   * those of values by the name that they have in {@link QuantizedModel#activations}: one per
   * channel; empty if they are not learned, or not any more.
   */
  public ImmutableMap<String, ImmutableList<Double>> learnedSteps() {
    ImmutableMap.Builder<String, ImmutableList<Double>> steps = ImmutableMap.builder();
    training
        .steps()
        .ifPresent(
            own ->
                own.steps()
                    .forEach(
                        (name, values) ->
                            steps.put(name, ImmutableList.copyOf(Doubles.asList(values)))));
    return steps.buildOrThrow();
  }

  /**
   * Puts the nearest powers of two, by ratio, in the place of learned steps, and learns them no
   * more: for the last epoch. The network goes on as {@link #network} in another one, whose formats
   * of weights, values and sums fit together as in conversion. Does nothing where steps are not
   * learned.
   */
  @CanIgnoreReturnValue
  public FineTuningRun snapSteps() {
    if (training.steps().isPresent()) {
      QuantizedModel powers = model();
      settings = settings.withoutLearnedSteps();
      goOn(settings.training(training.floats(), powers));
    }
    return this;
  }

  /**
   * Returns a copy of the network without any quantization, with the floats behind the codes, or
   * what {@link #masters} carries: folded if activations are codes. It needs nothing of this
   * library.
   */
  public Model floats() {
    return training.floats().model();
  }

  /**
   * Returns a model with the same codes of weights, but formats of values, and with them the grids
   * of sums, chosen anew for what the network has become (method A, step 3). Of use where the
   * conversion looks at the network it is given; whether it is better than {@link #model()}, whose
   * formats were trained with, data will tell.
   */
  public QuantizedModel realigned() {
    QuantizedModel tuned = model();
    Dl4jNetwork coarse = training.floats(network());
    ImmutableMap.Builder<String, ImmutableList<NumberFormat>> formats = ImmutableMap.builder();
    for (QuantizedLayer layer : tuned.layers()) {
      for (QuantizedParameter parameter : layer.parameters()) {
        if (parameter.role() == ParameterRole.WEIGHT && parameter.codes().isPresent()) {
          formats.put(layer.name() + "/" + parameter.key(), parameter.codes().get().formats());
        }
      }
    }
    return settings
        .converted(tuned.plainNetwork().model())
        .withValues(coarse, formats.buildOrThrow());
  }

  /**
   * Returns the model of the network as it is trained now. Its integers are the codes with which
   * the network computes, unless steps are being learned: then they are those that {@link
   * #snapSteps} would leave.
   */
  public QuantizedModel model() {
    return model(network());
  }

  /**
   * Returns the model of another state of the network, such as the best one of early stopping, or
   * one that ModelSerializer has restored. Levels that are chosen each epoch are those of now.
   *
   * @throws IllegalArgumentException if it lacks a parameter
   */
  public QuantizedModel model(Model trained) {
    return training.model(trained);
  }
}
