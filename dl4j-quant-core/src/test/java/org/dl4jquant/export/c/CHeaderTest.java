package org.dl4jquant.export.c;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.Window;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CHeaderTest {
  private static final int EXAMPLES = 20;
  private static final String MAIN =
      """
      #include "net.h"
      #include <stdio.h>

      int main(void) {
        static net_code in[NET_INPUTS];
        static net_code out[NET_OUTPUTS];
        int value;
        for (;;) {
          for (int i = 0; i < NET_INPUTS; i++) {
            if (scanf("%d", &value) != 1) {
              return 0;
            }
            in[i] = (net_code)value;
          }
          net_run(in, out);
          for (int i = 0; i < NET_OUTPUTS; i++) {
            printf("%d\\n", (int)out[i]);
          }
        }
      }
      """;

  @TempDir private Path folder = Path.of("");

  private final Random random = new Random(3);

  private Tensor random(double scale, int... shape) {
    Tensor tensor = Tensor.zeros(shape);
    for (int i = 0; i < tensor.length(); i++) {
      tensor.values()[i] = (float) (random.nextGaussian() * scale);
    }
    return tensor;
  }

  private Convolution convolution(int out, int in, int stride, Padding padding, int groups) {
    return new Convolution(
        random(0.4, out, in / groups, 3, 2),
        random(0.3, out),
        Extent.square(stride),
        Extent.ONE,
        padding,
        groups);
  }

  private NetworkGraph leNet() {
    Extent two = Extent.square(2);
    return NetworkGraph.builder()
        .input("image", 2, 13, 12)
        .add("conv */ 1", convolution(6, 2, 1, Padding.SAME, 1), "image")
        .add("relu", new Activation(ScalarFunction.relu6()), "conv */ 1")
        .add("pool", new MaxPool(Window.of(two, two, Padding.SAME)), "relu")
        .add("conv2", convolution(8, 6, 2, Padding.symmetric(1, 1), 2), "pool")
        .add("flat", new Flatten(), "conv2")
        .add("dense", new Dense(random(0.2, 9, 128), random(0.3, 9)), "flat")
        .add("clip", new Activation(ScalarFunction.relu()), "dense")
        .add("out", new Softmax(), "clip")
        .output("out")
        .build();
  }

  private NetworkGraph residual() {
    Window window = Window.of(new Extent(2, 3), Extent.ONE, Padding.SAME);
    return NetworkGraph.builder()
        .input("image", 4, 7, 6)
        .add("depthwise", convolution(4, 4, 1, Padding.SAME, 4), "image")
        .add("add", new Add(), "depthwise", "image")
        .add("relu", new Activation(ScalarFunction.relu()), "add")
        .add("mean", new AveragePool(window, false), "relu")
        .add("mean2", new AveragePool(window, true), "mean")
        .add("sum", new Add(), "mean2", "mean", "image")
        .add("global", new GlobalPool(GlobalPool.Reduction.AVERAGE), "sum")
        .add("clip", new Activation(new ScalarFunction.Clip(-0.5, 1)), "global")
        .output("clip")
        .build();
  }

  private IntegerNetwork quantized(NetworkGraph graph, int bits, boolean perChannel) {
    return quantized(graph, bits, perChannel, false);
  }

  private ActivationFormat levels(int gridBits) {
    LogFormat levels = new LogFormat(12, random.nextInt(20) - 30, 1 + random.nextInt(4));
    return ActivationFormat.logarithmic(GridLevels.of(levels, gridBits));
  }

  private IntegerNetwork quantized(
      NetworkGraph graph, int bits, boolean perChannel, boolean logarithmic) {
    QuantizedGraph.Builder builder = QuantizedGraph.builder(graph);
    builder.rounding(random.nextBoolean() ? Rounding.HALF_EVEN : Rounding.HALF_UP);
    String input = graph.inputs().get(0);
    builder.format(input, format(graph, input, bits, perChannel));
    QuantizedGraph soFar = builder.build();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Weighted op) {
        ActivationFormat format = soFar.format(node.input()).orElseThrow();
        QuantizedTensor weight =
            QuantizedTensor.quantize(
                op.weight(),
                Granularity.perTensor(),
                List.of(FixedPointFormat.signed(bits, bits - 2)),
                Rounding.HALF_EVEN);
        builder.weights(
            node.name(), QuantizedWeights.onFinestGrid(op, weight, format, Rounding.HALF_EVEN, 32));
      }
      boolean clippedNext =
          (node.op() instanceof Weighted || node.op() instanceof Add)
              && graph
                  .soleConsumer(node.name())
                  .filter(next -> next.op() instanceof Activation)
                  .isPresent();
      if (!node.op().keepsCodes() && !clippedNext && !(node.op() instanceof Softmax)) {
        builder.format(
            node.name(),
            logarithmic && node.op() instanceof Activation
                ? levels(bits)
                : format(graph, node.name(), bits, perChannel));
      }
      soFar = builder.build();
    }
    return IntegerNetwork.of(soFar);
  }

  private ActivationFormat format(NetworkGraph graph, String node, int bits, boolean perChannel) {
    boolean signed = random.nextInt(3) > 0;
    List<FixedPointFormat> formats = new ArrayList<>();
    for (int c = 0; c < (perChannel ? graph.shape(node).channels() : 1); c++) {
      formats.add(new FixedPointFormat(bits, bits - 4 + random.nextInt(3), signed, false));
    }
    return perChannel
        ? ActivationFormat.perChannel(formats)
        : ActivationFormat.perTensor(formats.get(0));
  }

  private int[] computedByC(IntegerNetwork network, int[] codes) throws Exception {
    CHeader.of(network, "net").write(folder.resolve("net.h"));
    Files.writeString(folder.resolve("main.c"), MAIN);
    run("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "main.c", "-o", "net");
    Files.writeString(
        folder.resolve("in.txt"),
        Arrays.stream(codes).mapToObj(Integer::toString).collect(Collectors.joining("\n")));
    run(folder.resolve("net").toString());
    return Files.readAllLines(folder.resolve("out.txt")).stream()
        .mapToInt(Integer::parseInt)
        .toArray();
  }

  private void run(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    Path input = folder.resolve("in.txt");
    if (Files.exists(input)) {
      builder.redirectInput(input.toFile());
    }
    Path errors = folder.resolve("errors.txt");
    builder.redirectOutput(folder.resolve("out.txt").toFile()).redirectError(errors.toFile());
    int code = builder.start().waitFor();
    assertEquals(0, code, () -> text(errors));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void requireCompiler() throws InterruptedException {
    boolean present;
    try {
      run("cc", "--version");
      present = true;
    } catch (IOException e) {
      present = false;
    }
    assumeTrue(present, "there is no C compiler");
  }

  private void equalsTheIntegerNetwork(IntegerNetwork network) throws Exception {
    String input = network.graph().graph().inputs().get(0);
    Tensor values = random(1.5, network.graph().graph().shape(input).withBatch(EXAMPLES));
    int[] codes = network.layerCodes(input, values).codes();
    assertArrayEquals(network.outputCodes(values).codes(), computedByC(network, codes));
  }

  @Test
  void computesTheSameCodesAsTheIntegerNetwork() throws Exception {
    requireCompiler();
    for (int bits : new int[] {4, 8, 16}) {
      equalsTheIntegerNetwork(quantized(leNet(), bits, false));
      equalsTheIntegerNetwork(quantized(leNet(), bits, true));
      equalsTheIntegerNetwork(quantized(residual(), bits, false));
      equalsTheIntegerNetwork(quantized(residual(), bits, true));
    }
  }

  @Test
  void computesTheSameCodesOfLogarithmicValues() throws Exception {
    requireCompiler();
    for (int bits : new int[] {8, 11, 16}) {
      equalsTheIntegerNetwork(quantized(leNet(), bits, false, true));
      equalsTheIntegerNetwork(quantized(residual(), bits, true, true));
    }
  }

  @Test
  void keepsTheNetworkInConstantsOfTheNarrowestType() {
    String text = CHeader.of(quantized(leNet(), 8, false), "net").text();
    assertTrue(text.contains("#define NET_INPUTS 312\n#define NET_OUTPUTS 9\n"), text);
    assertTrue(text.contains("static const int8_t net_weight"), text);
    assertTrue(text.contains("typedef int16_t net_code;"), text);
    assertTrue(text.contains("/* Convolution conv __ 1 */"), text);
  }

  @Test
  void refusesByNameWhatItDoesNotWrite() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 1, 2, 2)
            .add("up", new Upsample(Extent.square(2)), "in")
            .output("up")
            .build();
    IntegerNetwork network = quantized(graph, 8, false);
    String message =
        assertThrows(IllegalArgumentException.class, () -> CHeader.of(network, "net")).getMessage();
    assertEquals(
        "network must consist of dense layers, convolutions, clipping activations, pooling,"
            + " flattening and additions, to become C source, found Upsample 'up'",
        message);
    message =
        assertThrows(IllegalArgumentException.class, () -> CHeader.of(network, "1x")).getMessage();
    assertEquals("name must be a C identifier in lower case, found 1x", message);
  }

  @Test
  void refusesAnOutputThatIsComputedInFloat() {
    Dense op = new Dense(random(0.2, 2, 3), random(0.3, 2));
    NetworkGraph graph =
        NetworkGraph.builder().input("in", 3).add("w", op, "in").output("w").build();
    ActivationFormat format = ActivationFormat.perTensor(FixedPointFormat.signed(8, 5));
    QuantizedTensor weight =
        QuantizedTensor.quantize(
            op.weight(),
            Granularity.perTensor(),
            List.of(FixedPointFormat.signed(8, 7)),
            Rounding.HALF_EVEN);
    IntegerNetwork network =
        IntegerNetwork.of(
            QuantizedGraph.builder(graph)
                .format("in", format)
                .weights(
                    "w", QuantizedWeights.onFinestGrid(op, weight, format, Rounding.HALF_EVEN, 32))
                .build());
    String message =
        assertThrows(IllegalArgumentException.class, () -> CHeader.of(network, "net")).getMessage();
    assertEquals("'w' must be carried as codes, found floats", message);
  }
}
