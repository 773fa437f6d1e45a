package org.dl4jquant.benchmarks;

import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.calibrate.CalibrationResult;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.examples.Networks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Calibrates LeNet with 10,000 images, beside the plain {@code feedForward} passes over the same
 * batches.
 *
 * <p>{@code peakMegabytes} is by how much the resident memory of the process grew; the Java heap is
 * fixed and touched beforehand, so that this is what lies outside it. To run it on a quiet machine,
 * from the root of the project:
 *
 * <pre>{@code
 * mvn -q -pl dl4j-quant-examples -am test-compile org.codehaus.mojo:exec-maven-plugin:exec \
 *     -Dexec.executable=java \
 *     -Dexec.args="-cp %classpath org.openjdk.jmh.Main CalibrationBenchmark"
 * }</pre>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1)
@Measurement(iterations = 4)
@Fork(
    value = 1,
    jvmArgs = {"-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch"})
public class CalibrationBenchmark {
  private static final int IMAGES = 10_000;
  private static final int BATCH = 125;
  private static final int SIZE = 28;

  /** Only the forward passes. */
  @Benchmark
  public double feedForward(Prepared prepared, Memory memory) {
    double sum = 0;
    for (int from = 0; from < IMAGES; from += BATCH) {
      List<INDArray> values = prepared.network.feedForward(prepared.batch, false);
      sum += values.get(values.size() - 1).getDouble(0);
    }
    return sum;
  }

  /** The calibration. */
  @Benchmark
  public CalibrationResult calibrate(Prepared prepared, Memory memory) {
    return Calibration.of(Dl4jNetwork.of(prepared.network))
        .run(new RepeatedBatch(new DataSet(prepared.batch, prepared.labels), IMAGES / BATCH));
  }

  /** The network and one batch, which is used again and again. */
  @State(Scope.Benchmark)
  public static class Prepared {
    private final MultiLayerNetwork network = Networks.leNet(SIZE, 10, 1);
    private final INDArray batch = Nd4j.create(pixels(), new long[] {BATCH, 1, SIZE, SIZE}, 'c');
    private final INDArray labels = Nd4j.zeros(BATCH, 10);

    private static float[] pixels() {
      Random random = new Random(1);
      float[] pixels = new float[BATCH * SIZE * SIZE];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = random.nextInt(4) == 0 ? random.nextFloat() : 0;
      }
      return pixels;
    }
  }

  /** Watches the resident memory of the process. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Memory {
    /** By how much it grew, at most. */
    public long peakMegabytes;

    private volatile boolean running;
    private Thread watcher = new Thread();

    /** Starts to watch. */
    @Setup(Level.Iteration)
    public void start() {
      System.gc();
      long before = Pointer.physicalBytes();
      peakMegabytes = 0;
      running = true;
      watcher =
          new Thread(
              () -> {
                while (running) {
                  long grown = (Pointer.physicalBytes() - before) >> 20;
                  peakMegabytes = Math.max(peakMegabytes, grown);
                  Thread.onSpinWait();
                  try {
                    Thread.sleep(5);
                  } catch (InterruptedException e) {
                    return;
                  }
                }
              });
      watcher.setDaemon(true);
      watcher.start();
    }

    /** Stops watching. */
    @TearDown(Level.Iteration)
    public void stop() throws InterruptedException {
      running = false;
      watcher.join();
    }
  }
}
