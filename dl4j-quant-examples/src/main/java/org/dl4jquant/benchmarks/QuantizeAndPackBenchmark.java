package org.dl4jquant.benchmarks;

import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Quantizes and packs a square weight matrix, beside a plain copy of the same floats.
 *
 * <p>An operation is one byte of float input, so that operations per nanosecond are gigabytes per
 * second. To run it on a quiet machine, from the root of the project:
 *
 * <pre>{@code
 * mvn -q -pl dl4j-quant-examples -am test-compile org.codehaus.mojo:exec-maven-plugin:exec \
 *     -Dexec.executable=java \
 *     -Dexec.args="-cp %classpath org.openjdk.jmh.Main QuantizeAndPack"
 * }</pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class QuantizeAndPackBenchmark {
  private static final int SIZE = 1024;
  private static final int BYTES = SIZE * SIZE * Float.BYTES;

  /** Quantizes a tensor and packs its codes. */
  @Benchmark
  @OperationsPerInvocation(BYTES)
  public QuantizedTensor quantizeAndPack(Weights weights) {
    return QuantizedTensor.quantize(
        weights.tensor, weights.granularity, weights.formats, Rounding.HALF_EVEN);
  }

  /** Copies the same floats. */
  @Benchmark
  @OperationsPerInvocation(BYTES)
  public float[] copy(Copied copied) {
    System.arraycopy(copied.from, 0, copied.to, 0, copied.from.length);
    return copied.to;
  }

  private static float[] gaussian() {
    Random random = new Random(1);
    float[] values = new float[SIZE * SIZE];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Which elements share a format. */
  public enum Channels {
    /** All of them: one long loop. */
    PER_TENSOR,
    /** Those of a row: as many loops as rows. */
    FIRST_AXIS,
    /** Those of a column: neighbors have different formats. */
    LAST_AXIS
  }

  /** Gaussian weights and their formats. */
  @State(Scope.Benchmark)
  public static class Weights {
    /** The bits of one code. */
    @Param({"8", "4"})
    public int bitWidth;

    /** Which elements share a format. */
    @Param public Channels channels = Channels.PER_TENSOR;

    private final Tensor tensor = Tensor.of(gaussian(), SIZE, SIZE);
    private Granularity granularity = Granularity.perTensor();
    private List<FixedPointFormat> formats = List.of();

    /** Makes a format per channel; neighbors differ. */
    @Setup
    public void prepare() {
      granularity =
          switch (channels) {
            case PER_TENSOR -> Granularity.perTensor();
            case FIRST_AXIS -> Granularity.perChannel(0);
            case LAST_AXIS -> Granularity.perChannel(1);
          };
      formats =
          IntStream.range(0, granularity.channels(SIZE, SIZE))
              .mapToObj(channel -> FixedPointFormat.signed(bitWidth, bitWidth - 3 + channel % 2))
              .toList();
    }
  }

  /** Two arrays of the size of the weights. */
  @State(Scope.Benchmark)
  public static class Copied {
    private final float[] from = gaussian();
    private final float[] to = new float[SIZE * SIZE];
  }
}
