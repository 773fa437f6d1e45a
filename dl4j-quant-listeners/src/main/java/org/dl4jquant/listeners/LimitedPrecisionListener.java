package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.update.UpdateStatistics;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Trains a network whose weights live on a coarse fixed-point grid: after each step of DL4J's
 * updater the weights are put back on the grid, and what the grid cannot hold is carried to the
 * next step.
 *
 * <p>Works in every {@code fit} of {@code MultiLayerNetwork} and {@code ComputationGraph} and with
 * every updater, clipping, weight decay and constraint, because it takes the update that has been
 * applied. The network's own parameters are the coarse weights, so evaluating, saving and
 * converting need nothing else.
 *
 * <ul>
 *   <li><b>Before the first step.</b> {@link #attachTo} puts the weights on the grid at once. A
 *       listener that is only added does it at the first callback: at the start of the epoch, or,
 *       with {@code fit(DataSet)}, between the first forward and backward pass.
 *   <li><b>Constraints</b> run after all listeners. What one changes becomes part of the fine
 *       weight in the next step; until then the weights may be off the grid. The end of an epoch
 *       and {@link #backOnGrid} put them on it.
 *   <li><b>Updates that are not finite</b> are skipped and counted, their weights restored.
 *   <li><b>Frozen layers</b> are left alone, see {@link #notCarried}.
 *   <li><b>Shared memory.</b> Two parameters that are the same memory are carried once.
 *   <li><b>New layers or memory</b>, after another {@code init}: known parameters of the same
 *       length go on, with the difference folded in; others start. A parameter that is gone is an
 *       error.
 *   <li><b>Unsupervised pretraining</b> of a single layer is not carried; its effect is folded in
 *       like that of a constraint.
 * </ul>
 *
 * <p>Whatever would make training silently different throws an {@link IllegalStateException} that
 * names the parameter: two listeners on one parameter, one listener on two networks, weights that
 * are not finite, an array this listener cannot reach.
 *
 * <p>Memory beyond DL4J's own: 8 bytes per carried weight, one {@code long} for its code and
 * residual together, and 48 KiB for each thread during a step. Not thread-safe; for one training
 * thread.
 */
public abstract class LimitedPrecisionListener extends BaseTrainingListener {
  private final CarrySettings settings;
  private @Nullable CarriedNetwork network;

  LimitedPrecisionListener(CarrySettings settings) {
    this.settings = settings;
  }

  /**
   * Adds this to the network's listeners and puts the selected weights on their grids.
   *
   * @throws IllegalStateException if the weights cannot be carried
   */
  public final void attachTo(Model model) {
    if (NetworkParameters.isNetwork(model) && !NetworkParameters.listeners(model).contains(this)) {
      NetworkParameters.addListener(model, this);
    }
    bind(model);
  }

  @Override
  public final void onEpochStart(Model model) {
    if (NetworkParameters.isNetwork(model)) {
      bind(model).tensors().forEach(CarriedTensor::reconcile);
    }
  }

  @Override
  public final void onEpochEnd(Model model) {
    onEpochStart(model);
  }

  @Override
  public final void onForwardPass(Model model, List<INDArray> activations) {
    if (NetworkParameters.isNetwork(model)) {
      bind(model);
    }
  }

  @Override
  public final void onForwardPass(Model model, Map<String, INDArray> activations) {
    if (NetworkParameters.isNetwork(model)) {
      bind(model);
    }
  }

  @Override
  public final void iterationDone(Model model, int iteration, int epoch) {
    if (!NetworkParameters.isNetwork(model)) {
      return;
    }
    boolean late = network == null || !network.isCurrent();
    CarriedNetwork bound = bind(model);
    if (!late) {
      bound.step(NetworkParameters.flatGradient(model));
    }
  }

  @CanIgnoreReturnValue
  private CarriedNetwork bind(Model model) {
    CarriedNetwork bound = network;
    if (bound != null && bound.model() != model) {
      throw new IllegalStateException(
          "a limited-precision listener carries the weights of one network; build another for"
              + " this one");
    }
    checkAddedOnce(model);
    if (bound == null) {
      bound = CarriedNetwork.bind(model, settings, ImmutableMap.of(), taken(model));
    } else if (!bound.isCurrent()) {
      bound = bound.rebind(settings, taken(model));
    }
    network = bound;
    return bound;
  }

  private void checkAddedOnce(Model model) {
    boolean seen = false;
    for (TrainingListener listener : NetworkParameters.listeners(model)) {
      if (listener == this && seen) {
        throw new IllegalStateException(
            "a limited-precision listener must be added to a network once, found it twice");
      }
      seen |= listener == this;
    }
  }

  /** Returns what the other listeners of the network carry. */
  private List<CarriedTensor> taken(Model model) {
    List<CarriedTensor> taken = new ArrayList<>();
    for (TrainingListener listener : NetworkParameters.listeners(model)) {
      if (listener != this && listener instanceof LimitedPrecisionListener other) {
        CarriedNetwork theirs = other.network;
        if (theirs != null && theirs.model() == model) {
          taken.addAll(theirs.tensors());
        }
      }
    }
    return taken;
  }

  /**
   * Puts weights that a constraint or a person has changed since the last step back on the grid;
   * the difference becomes part of the fine weight.
   */
  public final void backOnGrid() {
    bound().tensors().forEach(CarriedTensor::reconcile);
  }

  /**
   * Returns the names of the carried parameters, such as {@code dense.W}, with their formats: that
   * of the first channel, where each has its own.
   */
  public final ImmutableMap<String, FixedPointFormat> carried() {
    ImmutableMap.Builder<String, FixedPointFormat> formats = ImmutableMap.builder();
    for (CarriedTensor tensor : bound().tensors()) {
      formats.put(tensor.name(), tensor.fine().rule().weightFormat());
    }
    return formats.buildOrThrow();
  }

  /**
   * Returns formats that end at the residual's last digit, by parameter; empty before the start.
   */
  final ImmutableMap<String, FixedPointFormat> residualFormats() {
    ImmutableMap.Builder<String, FixedPointFormat> formats = ImmutableMap.builder();
    if (network != null) {
      for (CarriedTensor tensor : network.tensors()) {
        formats.put(tensor.name(), tensor.residualFormat());
      }
    }
    return formats.buildOrThrow();
  }

  /** Returns the selected parameters that are not carried, with the reasons. */
  public final ImmutableMap<String, String> notCarried() {
    return bound().left();
  }

  /** Returns what has happened to each carried parameter since the last restart. */
  public final ImmutableMap<String, UpdateStatistics> statistics() {
    ImmutableMap.Builder<String, UpdateStatistics> statistics = ImmutableMap.builder();
    for (CarriedTensor tensor : bound().tensors()) {
      statistics.put(tensor.name(), tensor.statistics());
    }
    return statistics.buildOrThrow();
  }

  /** Returns {@link #statistics} and starts a new cycle. */
  public final ImmutableMap<String, UpdateStatistics> takeStatistics() {
    ImmutableMap<String, UpdateStatistics> statistics = statistics();
    bound().tensors().forEach(CarriedTensor::restartStatistics);
    return statistics;
  }

  /**
   * Returns a new array of the parameter's shape and type with its fine weights, or empty if the
   * parameter is not carried. What a statistic of weight differences has to read, as the coarse
   * weights move in jumps.
   */
  public final Optional<INDArray> fineWeights(String layer, String parameter) {
    return Optional.ofNullable(network)
        .flatMap(bound -> bound.find(layer, parameter))
        .map(CarriedTensor::fineWeights);
  }

  /**
   * Changes the fractional length of a carried parameter; the fine weights stay what they are.
   * Where each channel has its own, the length is the first one's, and all change by as much.
   *
   * @return how many fine weights did not fit and were put to the end of the new range
   * @throws IllegalArgumentException if the parameter is not carried
   */
  @CanIgnoreReturnValue
  public final long rescale(String layer, String parameter, int fractionalLength) {
    CarriedTensor tensor =
        bound()
            .find(layer, parameter)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "parameter must be one of "
                            + carried().keySet()
                            + ", found "
                            + layer
                            + "."
                            + parameter));
    return tensor.rescale(fractionalLength);
  }

  /**
   * Writes what {@code ModelSerializer} does not know, the fine weights, to a file of its own. Save
   * the network itself, updater included, without a step in between.
   */
  public final void save(Path file) throws IOException {
    CarriedCheckpoint.save(bound(), file);
  }

  /**
   * Goes on with the fine weights of {@link #save}, so that training ends with the same bits as if
   * it had not been interrupted. Adds this to the network's listeners if it is not there yet.
   *
   * @throws IllegalArgumentException if the file belongs to another network, to the same one at
   *     another moment, or to a listener of other settings; names what differs
   * @throws org.dl4jquant.update.InvalidResidualFileException if the file is damaged
   */
  public final void restore(Path file, Model model) throws IOException {
    if (network != null && network.model() != model) {
      bind(model);
    }
    network = CarriedCheckpoint.restore(settings, file, model, taken(model));
    attachTo(model);
  }

  /** Returns whether this carries the weights of the network. */
  final boolean carries(Model model) {
    return network != null && network.model() == model;
  }

  private CarriedNetwork bound() {
    if (network == null) {
      throw new IllegalStateException(
          "the listener must be attached to a network first: call attachTo, or fit");
    }
    return network;
  }
}
