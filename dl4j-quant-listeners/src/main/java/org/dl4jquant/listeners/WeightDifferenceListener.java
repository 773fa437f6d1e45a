package org.dl4jquant.listeners;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.DifferenceReference;
import org.dl4jquant.stats.TrainingCycle;
import org.dl4jquant.stats.WeightDifferenceAccumulator;
import org.dl4jquant.stats.WeightDifferences;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records how far the weights of each layer move while a network is trained (US20240185029A1).
 *
 * <p>It keeps one copy of the weights, taken before the first update it sees, and compares at the
 * end of every cycle. A cycle of epochs needs {@code fit(iterator)} or an early-stopping trainer;
 * {@code fit(DataSet)} tells listeners of no epoch, so if none was ever seen, {@link #snapshot}
 * takes all training so far as one cycle. Iterations are counted as DL4J reports them, before
 * constraints are applied to the weights.
 *
 * <p>Of weights that a {@link LimitedPrecisionListener} of the network carries it takes the fine
 * ones, because the coarse ones move in jumps. Add it after that listener, so that a cycle of
 * iterations ends with the last update included.
 *
 * <p>It watches the first network it sees or is attached to, and ignores others, such as the
 * replicas of a {@code ParallelWrapper}: attach it to the original before. Training is never
 * changed; if anything fails, it is logged once and the listener stops recording. Thread-safe.
 */
public final class WeightDifferenceListener extends BaseTrainingListener {
  private static final Logger log = LoggerFactory.getLogger(WeightDifferenceListener.class);

  private final TrainingCycle cycle;
  private final DifferenceReference reference;
  private final boolean perChannel;

  private @Nullable WatchedNetwork watched;
  private @Nullable WeightDifferenceAccumulator sums;
  private OpenCycle open = OpenCycle.NONE;
  private boolean failed;
  private boolean saidOther;

  private WeightDifferenceListener(Builder builder) {
    this.cycle = new TrainingCycle(builder.unit, builder.frequency);
    this.reference = builder.reference;
    this.perChannel = builder.perChannel;
  }

  /** Returns a builder with a cycle of one epoch, against the initial weights, per channel. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Watches {@code model} from its present weights on, or, if other training was recorded before,
   * goes on with it there; adds this to the network's listeners if it is not there yet.
   *
   * @throws IllegalArgumentException if training was recorded before on a network of other layers
   */
  public synchronized void attachTo(Model model) {
    WatchedNetwork network = new WatchedNetwork(model, perChannel);
    if (watched == null) {
      start(network);
    } else if (watched.model() != model) {
      moveTo(network);
    }
    if (!NetworkParameters.listeners(model).contains(this)) {
      NetworkParameters.addListener(model, this);
    }
  }

  /**
   * Returns what was recorded in the cycles that have ended.
   *
   * @throws IllegalStateException if no network was watched yet
   */
  public synchronized WeightDifferences snapshot() {
    WeightDifferences ended = recorded().snapshot();
    boolean oneCycle =
        cycle.unit() == TrainingCycle.Unit.EPOCH && !open.epochSeen() && open.iterations() > 0;
    if (!oneCycle || failed) {
      return ended;
    }
    WeightDifferenceAccumulator closed = new WeightDifferenceAccumulator(ended);
    network().endCycle(closed, false);
    return closed.snapshot();
  }

  /**
   * Writes what {@code ModelSerializer} does not know: sums, counts and the weights compared with.
   * Save the network itself without training in between. The file appears whole or not at all.
   */
  public synchronized void save(Path file) {
    WeightDifferences ended = recorded().snapshot();
    WeightDifferenceCheckpoint.write(file, ended, open, network());
  }

  /**
   * Goes on where {@link #save} was called, so that the numbers are those of training without
   * interruption. Adds this to the network's listeners if it is not there yet.
   *
   * @throws IllegalArgumentException if the file belongs to another network, to the same one at
   *     another moment, or to other settings; names what differs
   * @throws org.dl4jquant.stats.InvalidStatisticsException if the file is damaged
   */
  public synchronized void restore(Path file, Model model) {
    WatchedNetwork network = new WatchedNetwork(model, perChannel);
    WeightDifferenceCheckpoint.State state =
        WeightDifferenceCheckpoint.read(file, network.unseen(reference, cycle), network);
    watched = network;
    sums = new WeightDifferenceAccumulator(state.ended());
    open = state.open();
    failed = false;
    if (!NetworkParameters.listeners(model).contains(this)) {
      NetworkParameters.addListener(model, this);
    }
  }

  @Override
  public void onEpochStart(Model model) {
    guarded(model, () -> open = open.withEpochSeen());
  }

  @Override
  public void onForwardPass(Model model, List<INDArray> activations) {
    guarded(model, () -> {});
  }

  @Override
  public void onForwardPass(Model model, Map<String, INDArray> activations) {
    guarded(model, () -> {});
  }

  @Override
  public void onBackwardPass(Model model) {
    guarded(model, () -> {});
  }

  @Override
  public void onGradientCalculation(Model model) {
    guarded(model, () -> {});
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    guarded(
        model,
        () -> {
          open = open.withIteration();
          if (cycle.unit() == TrainingCycle.Unit.ITERATION && open.iterations() == cycle.length()) {
            endCycle();
          }
        });
  }

  @Override
  public void onEpochEnd(Model model) {
    guarded(
        model,
        () -> {
          open = open.withEpochSeen().withEpoch();
          if (cycle.unit() == TrainingCycle.Unit.EPOCH && open.epochs() == cycle.length()) {
            endCycle();
          }
        });
  }

  private synchronized void guarded(Model model, Runnable work) {
    if (failed || !NetworkParameters.isNetwork(model)) {
      return;
    }
    try {
      if (watched == null) {
        start(new WatchedNetwork(model, perChannel));
      } else if (watched.model() != model) {
        ignore();
        return;
      } else if (watched.isStale()) {
        moveTo(new WatchedNetwork(model, perChannel));
      }
      work.run();
    } catch (RuntimeException e) {
      failed = true;
      log.error("weight differences are no longer recorded: {}", e.getMessage(), e);
    }
  }

  private void start(WatchedNetwork network) {
    network.copyReference();
    sums = new WeightDifferenceAccumulator(network.unseen(reference, cycle));
    watched = network;
  }

  private void moveTo(WatchedNetwork network) {
    WeightDifferences ended = recorded().snapshot();
    ended.combine(network.unseen(reference, cycle)); // refuses other layers
    network.copyReference(network());
    watched = network;
  }

  private void endCycle() {
    network().endCycle(recorded(), reference == DifferenceReference.PREVIOUS_CYCLE);
    open = open.next();
  }

  private void ignore() {
    if (!saidOther) {
      saidOther = true;
      log.warn("the listener watches one network and ignores the others; use attachTo to move it");
    }
  }

  private WatchedNetwork network() {
    if (watched == null) {
      throw unwatched();
    }
    return watched;
  }

  private WeightDifferenceAccumulator recorded() {
    if (sums == null) {
      throw unwatched();
    }
    return sums;
  }

  private static IllegalStateException unwatched() {
    return new IllegalStateException(
        "no network was watched: add the listener to a network and call fit first");
  }

  /** Collects the options. */
  public static final class Builder {
    private TrainingCycle.Unit unit = TrainingCycle.Unit.EPOCH;
    private int frequency = 1;
    private DifferenceReference reference = DifferenceReference.INITIAL;
    private boolean perChannel = true;

    private Builder() {}

    /** What a cycle counts; epochs by default. */
    @CanIgnoreReturnValue
    public Builder cycle(TrainingCycle.Unit unit) {
      this.unit = unit;
      return this;
    }

    /** How many epochs or iterations make a cycle, at least 1; 1 by default. */
    @CanIgnoreReturnValue
    public Builder frequency(int frequency) {
      this.frequency = Checks.positive("frequency", frequency);
      return this;
    }

    /** What weights are compared with; the initial weights by default. */
    @CanIgnoreReturnValue
    public Builder reference(DifferenceReference reference) {
      this.reference = reference;
      return this;
    }

    /** Whether sums are kept for each output channel too; they are by default. */
    @CanIgnoreReturnValue
    public Builder perChannel(boolean perChannel) {
      this.perChannel = perChannel;
      return this;
    }

    /** Returns the listener. */
    public WeightDifferenceListener build() {
      return new WeightDifferenceListener(this);
    }
  }
}
