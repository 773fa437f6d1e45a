package org.dl4jquant.benchmarks;

import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.listeners.AccumulatedUpdateListener;
import org.dl4jquant.listeners.GradientPrecisionListener;
import org.dl4jquant.listeners.ResidualGradientListener;
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
 * One iteration of {@code fit} on float weights, and on 8-bit weights that carry what is below
 * their last digit (methods C and D), and with gradients of 8 bits.
 *
 * <p>{@link #main} compares them in turn within one process, which is what the published ratios
 * come from, and adds what the listener's own calls take; JMH gives the absolute times:
 *
 * <pre>{@code
 * mvn -q -pl dl4j-quant-examples -am test-compile \
 *     org.codehaus.mojo:exec-maven-plugin:exec -Dexec.executable=java \
 *     -Dexec.args="-cp %classpath org.dl4jquant.benchmarks.LimitedPrecisionBenchmark leNet 200"
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(3)
public class LimitedPrecisionBenchmark {
  private static final int WARMUP_ROUNDS = 20;

  /** The network: {@code leNet} at batch 64, or {@code mlp16M} at batch 128. */
  @Param({"leNet", "mlp16M"})
  public String network = "leNet";

  /** What the weights or gradients are. */
  @Param public Precision precision = Precision.FLOAT;

  private MultiLayerNetwork model = new BenchmarkNetwork("leNet").build();
  private DataSet batch = new DataSet();
  private TimedListener timed = new TimedListener(precision.listener());

  /** How the network is trained. */
  public enum Precision {
    /** In floats. */
    FLOAT,
    /** Method C with its defaults, biases too. */
    ACCUMULATED,
    /** Method D with its defaults, biases too. */
    RESIDUAL,
    /** Float weights, gradients of 8 bits in dynamic fixed point. */
    GRADIENTS;

    /** Returns a new listener, which that of floats does nothing. */
    TrainingListener listener() {
      return switch (this) {
        case FLOAT -> new BaseTrainingListener() {};
        case ACCUMULATED -> AccumulatedUpdateListener.builder().biases(true).build();
        case RESIDUAL -> ResidualGradientListener.builder().biases(true).build();
        case GRADIENTS -> GradientPrecisionListener.builder().build();
      };
    }
  }

  /** Builds the network and its random examples, and attaches the listener. */
  @Setup
  public void prepare() {
    BenchmarkNetwork known = new BenchmarkNetwork(network);
    model = known.build();
    batch = known.examples();
    timed = new TimedListener(precision.listener());
    model.setListeners(timed);
  }

  /** Trains one batch. */
  @Benchmark
  public double fit() {
    model.fit(batch);
    return model.score();
  }

  /** Compares all in turn: {@code [network [rounds]]}. */
  public static void main(String[] arguments) {
    String network = arguments.length > 0 ? arguments[0] : "leNet";
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100;
    Interleaved comparison = new Interleaved();
    for (Precision precision : Precision.values()) {
      LimitedPrecisionBenchmark benchmark = new LimitedPrecisionBenchmark();
      benchmark.network = network;
      benchmark.precision = precision;
      benchmark.prepare();
      comparison.with(precision.name(), benchmark::fit, benchmark.timed::takeNanos);
    }
    System.out.println(network + ", " + rounds + " rounds");
    System.out.print(comparison.compare(WARMUP_ROUNDS, rounds));
  }
}
