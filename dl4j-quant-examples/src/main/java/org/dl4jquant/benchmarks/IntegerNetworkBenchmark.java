package org.dl4jquant.benchmarks;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.examples.Networks;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
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
 * {@code IntegerNetwork.output} beside DL4J's {@code output} on networks of the same shape, both on
 * all processors.
 *
 * <p>JMH measures one after the other. {@link #main} measures them in turns, so that whatever else
 * the machine does meets both, and prints the ratio of the times with its spread:
 *
 * <pre>{@code
 * mvn -q -pl dl4j-quant-examples -am test-compile org.codehaus.mojo:exec-maven-plugin:exec \
 *     -Dexec.executable=java \
 *     -Dexec.args="-cp %classpath org.dl4jquant.benchmarks.IntegerNetworkBenchmark"
 * }</pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class IntegerNetworkBenchmark {
  private static final int ROUNDS = 21;
  private static final long TURN_NANOS = 100_000_000;
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  /** DL4J's output. */
  @Benchmark
  public INDArray dl4j(Networks28 networks) {
    return networks.dl4j.apply(networks.array);
  }

  /** The integer network's output. */
  @Benchmark
  public Tensor integer(Networks28 networks) {
    return networks.integer.output(networks.tensor);
  }

  /** Which network. */
  public enum Shape {
    /** {@link Networks#leNet}. */
    LENET,
    /** {@link Networks#residual}. */
    RESIDUAL
  }

  /** A DL4J network, an integer network of the same shape, and a batch for both. */
  @State(Scope.Benchmark)
  public static class Networks28 {
    private static final int SIZE = 28;
    private static final int CLASSES = 10;

    /** Which network. */
    @Param public Shape network = Shape.LENET;

    /** The number of images. */
    @Param({"1", "32", "256"})
    public int batch = 1;

    private UnaryOperator<INDArray> dl4j = x -> x;
    private IntegerNetwork integer = IntegerNetwork.of(HandMadeNetworks.leNet());
    private Tensor tensor = Tensor.zeros(1, 1, SIZE, SIZE);
    private INDArray array = Nd4j.empty();

    /** Makes the networks and a random batch. */
    @Setup
    public void prepare() {
      if (network == Shape.LENET) {
        MultiLayerNetwork net = Networks.leNet(SIZE, CLASSES, 1);
        dl4j = net::output;
      } else {
        ComputationGraph net = Networks.residual(SIZE, CLASSES, 1);
        dl4j = x -> net.output(x)[0];
        integer = IntegerNetwork.of(HandMadeNetworks.residual());
      }
      Random random = new Random(1);
      tensor = Tensor.zeros(batch, 1, SIZE, SIZE);
      for (int i = 0; i < tensor.length(); i++) {
        tensor.values()[i] = (float) random.nextGaussian();
      }
      array = Nd4j.create(tensor.values().clone(), new long[] {batch, 1, SIZE, SIZE}, 'c');
    }
  }

  /** Prints times and ratios, measured in turns. */
  public static void main(String[] arguments) {
    for (Shape shape : Shape.values()) {
      for (int batch : new int[] {1, 32, 256}) {
        Networks28 networks = new Networks28();
        networks.network = shape;
        networks.batch = batch;
        networks.prepare();
        compare(networks);
      }
    }
  }

  private static void compare(Networks28 networks) {
    Supplier<Object> dl4j = () -> networks.dl4j.apply(networks.array);
    Supplier<Object> integer = () -> networks.integer.output(networks.tensor);
    microseconds(dl4j, WARM_UP_NANOS);
    microseconds(integer, WARM_UP_NANOS);
    double[] slow = new double[ROUNDS];
    double[] fast = new double[ROUNDS];
    double[] ratios = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      slow[i] = microseconds(dl4j, TURN_NANOS);
      fast[i] = microseconds(integer, TURN_NANOS);
      ratios[i] = slow[i] / fast[i];
    }
    System.out.printf(
        Locale.ROOT,
        "%-8s batch %3d: DL4J %9.0f us, integer %8.0f us, ratio %5.1f (%.1f to %.1f)%n",
        networks.network,
        networks.batch,
        quantile(slow, 0.5),
        quantile(fast, 0.5),
        quantile(ratios, 0.5),
        quantile(ratios, 0.1),
        quantile(ratios, 0.9));
  }

  /** Returns the mean time of a call, over calls that together take {@code nanos} or more. */
  private static double microseconds(Supplier<Object> call, long nanos) {
    long start = System.nanoTime();
    int calls = 0;
    long end = start;
    while (end - start < nanos) {
      calls += call.get() == null ? 0 : 1;
      end = System.nanoTime();
    }
    return (end - start) / 1e3 / calls;
  }

  private static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
