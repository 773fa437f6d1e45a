package org.dl4jquant.benchmarks;

import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.stats.TrainingCycle;
import org.nd4j.linalg.dataset.DataSet;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One iteration of {@code fit} without a listener, with a {@link WeightDifferenceListener} that
 * looks at every iteration, and with DL4J's {@code StatsListener} at the same frequency.
 *
 * <p>{@link #main} compares the three in turn within one process, which is what the published
 * ratios come from, and adds what the listener's own calls take; JMH gives the absolute times.
 * {@code StatsListener} needs the profile {@code stats-listener}:
 *
 * <pre>{@code
 * mvn -q -Pstats-listener -Denforcer.skip -pl dl4j-quant-examples -am test-compile \
 *     org.codehaus.mojo:exec-maven-plugin:exec -Dexec.executable=java \
 *     -Dexec.args="-cp %classpath org.dl4jquant.benchmarks.ListenerOverheadBenchmark leNet 200"
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(3)
public class ListenerOverheadBenchmark {
  private static final int WARMUP_ROUNDS = 20;

  /** The network: {@code leNet} at batch 64, or {@code mlp16M} at batch 128. */
  @Param({"leNet", "mlp16M"})
  public String network = "leNet";

  /** What watches. */
  @Param public Watcher watcher = Watcher.NONE;

  private MultiLayerNetwork model = new BenchmarkNetwork("leNet").build();
  private DataSet batch = new DataSet();
  private TimedListener timed = new TimedListener(watcher.listener());

  /** Who looks at every iteration. */
  public enum Watcher {
    /** Nobody. */
    NONE,
    /** Method B's listener with its defaults, per output channel too; a cycle per iteration. */
    WEIGHT_DIFFERENCES,
    /** DL4J's own, which collects histograms and means for its user interface. */
    STATS_LISTENER;

    /** Returns a new listener, which nobody's does nothing. */
    TrainingListener listener() {
      return switch (this) {
        case NONE -> new BaseTrainingListener() {};
        case WEIGHT_DIFFERENCES ->
            WeightDifferenceListener.builder().cycle(TrainingCycle.Unit.ITERATION).build();
        case STATS_LISTENER -> statsListener();
      };
    }

    /** Made by name: the class is on the class path only with the profile. */
    private static TrainingListener statsListener() {
      try {
        Class<?> storage =
            Class.forName("org.deeplearning4j.ui.model.storage.InMemoryStatsStorage");
        Class<?> router = Class.forName("org.deeplearning4j.core.storage.StatsStorageRouter");
        return Class.forName("org.deeplearning4j.ui.model.stats.StatsListener")
            .asSubclass(TrainingListener.class)
            .getConstructor(router, int.class)
            .newInstance(storage.getConstructor().newInstance(), 1);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("run with -Pstats-listener to have StatsListener", e);
      }
    }
  }

  /** Builds the network and its random examples, and attaches the listener. */
  @Setup
  public void prepare() {
    BenchmarkNetwork known = new BenchmarkNetwork(network);
    model = known.build();
    batch = known.examples();
    timed = new TimedListener(watcher.listener());
    model.setListeners(timed);
  }

  /** Trains one batch. */
  @Benchmark
  public double fit() {
    model.fit(batch);
    return model.score();
  }

  /** Compares all watchers in turn: {@code [network [rounds]]}. */
  public static void main(String[] arguments) {
    String network = arguments.length > 0 ? arguments[0] : "leNet";
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100;
    Interleaved comparison = new Interleaved();
    for (Watcher watcher : Watcher.values()) {
      ListenerOverheadBenchmark benchmark = new ListenerOverheadBenchmark();
      benchmark.network = network;
      benchmark.watcher = watcher;
      benchmark.prepare();
      comparison.with(watcher.name(), benchmark::fit, benchmark.timed::takeNanos);
    }
    System.out.println(network + ", " + rounds + " rounds");
    System.out.print(comparison.compare(WARMUP_ROUNDS, rounds));
  }
}
