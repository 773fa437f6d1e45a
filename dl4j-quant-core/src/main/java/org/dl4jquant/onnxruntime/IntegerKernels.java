package org.dl4jquant.onnxruntime;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * What the processor does with products of 8 bits in ONNX Runtime.
 *
 * <p>x86 processors without VNNI (AVX2 and AVX-512 before 2019) add two products of an unsigned and
 * a signed byte in 16 bits, with saturation: 255 * 127 + 255 * 127 becomes 32767. There, weights of
 * 7 bits keep sums exact ({@link org.dl4jquant.onnx.ReducedRange}).
 *
 * @param saturate true if such sums were found to saturate
 * @param instructions the 8-bit product instructions that the processor names, such as {@code
 *     avx512_vnni}; empty where the operating system does not tell
 */
public record IntegerKernels(boolean saturate, ImmutableList<String> instructions) {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final Set<String> KNOWN =
      Set.of(
          "avx2",
          "avx512bw",
          "avx_vnni",
          "avx512_vnni",
          "avx_vnni_int8",
          "amx_int8",
          "asimddp",
          "i8mm");
  private static final int CHANNELS = 64;

  /** Runs small products of the largest codes and looks at the results. */
  public static IntegerKernels probe() {
    Dense dense = new Dense(Tensor.zeros(CHANNELS, CHANNELS), Tensor.zeros(CHANNELS));
    Convolution convolution =
        Convolution.of(
            Tensor.zeros(CHANNELS, CHANNELS, 3, 3), Tensor.zeros(CHANNELS), Padding.SAME);
    Convolution depthwise =
        new Convolution(
            Tensor.zeros(CHANNELS, 1, 3, 3),
            Tensor.zeros(CHANNELS),
            Extent.ONE,
            Extent.ONE,
            Padding.SAME,
            CHANNELS);
    boolean saturate =
        differs(dense, CHANNELS)
            || differs(convolution, CHANNELS, 8, 8)
            || differs(depthwise, CHANNELS, 8, 8);
    return new IntegerKernels(saturate, named());
  }

  private static boolean differs(Weighted op, int... in) {
    int[] codes = new int[op.weight().length()];
    Arrays.fill(codes, 127);
    FixedPointFormat weight = FixedPointFormat.signed(8, 0);
    int[] grid = new int[CHANNELS];
    QuantizedWeights weights =
        new QuantizedWeights(
            QuantizedTensor.of(
                codes,
                Granularity.perChannel(0),
                Collections.nCopies(CHANNELS, weight),
                op.weight().shape()),
            ImmutableLongArray.copyOf(new long[CHANNELS]),
            new AccumulatorFormat.FixedPoint(ImmutableIntArray.copyOf(grid)));
    int fan = codes.length / CHANNELS;
    int shift = Integer.SIZE - Integer.numberOfLeadingZeros(255 * 127 * fan) - 7;
    QuantizedGraph graph =
        QuantizedGraph.builder(
                NetworkGraph.builder().input("in", in).add("out", op, "in").output("out").build())
            .format("in", ActivationFormat.perTensor(FixedPointFormat.unsigned(8, 0)))
            .weights("out", weights)
            .format("out", ActivationFormat.perTensor(FixedPointFormat.unsigned(8, -shift)))
            .build();
    int[] shape = graph.graph().shape("in").withBatch(4);
    Tensor input = Tensor.zeros(shape);
    Arrays.fill(input.values(), 255);
    try (OnnxNetwork network =
        OnnxNetwork.of(
            OnnxExport.ofQuantized(graph, OnnxOptions.defaults()), OnnxRuntimeOptions.DEFAULTS)) {
      Tensor found = network.outputs(java.util.Map.of("in", input)).values().asList().get(0);
      return !Arrays.equals(IntegerNetwork.of(graph).output(input).values(), found.values());
    }
  }

  private static ImmutableList<String> named() {
    if (!Files.isReadable(PROCESSORS)) {
      return ImmutableList.of();
    }
    try {
      List<String> lines = Files.readAllLines(PROCESSORS);
      Optional<String> flags =
          lines.stream()
              .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
              .findFirst();
      Set<String> found =
          new TreeSet<>(Arrays.asList(flags.orElse("").toLowerCase(Locale.ROOT).split("\\s+")));
      found.retainAll(KNOWN);
      return ImmutableList.copyOf(found);
    } catch (IOException e) {
      throw new UncheckedIOException(PROCESSORS + ": cannot be read: " + e, e);
    }
  }
}
