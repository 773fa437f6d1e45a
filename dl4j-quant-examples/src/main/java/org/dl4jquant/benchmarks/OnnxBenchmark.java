package org.dl4jquant.benchmarks;

import com.google.common.math.Quantiles;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.examples.FashionMini;
import org.dl4jquant.examples.Networks;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnx.SignedCodes;
import org.dl4jquant.onnxruntime.IntegerKernels;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions;
import org.dl4jquant.precision.Target;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * DL4J's {@code output}, the integer network, and ONNX Runtime in float and in 8-bit integers, on
 * one network each, which is converted as a user converts it. All on all processors, in turns.
 *
 * <pre>{@code
 * mvn -q -pl dl4j-quant-examples -am test-compile org.codehaus.mojo:exec-maven-plugin:exec \
 *     -Dexec.executable=java -Dexec.args="-cp %classpath org.dl4jquant.benchmarks.OnnxBenchmark"
 * }</pre>
 *
 * <p>Arguments: batch sizes; 1, 32 and 256 without.
 */
public final class OnnxBenchmark {
  private static final int SIZE = 28;
  private static final int ROUNDS = 15;
  private static final long TURN_NANOS = 60_000_000;
  private static final long WARM_UP_NANOS = 1_500_000_000L;
  private static final int CALIBRATED = 256;

  private OnnxBenchmark() {}

  /** Prints a table per network and batch size. */
  public static void main(String[] arguments) {
    int[] batches =
        arguments.length == 0
            ? new int[] {1, 32, 256}
            : IntStream.range(0, arguments.length)
                .map(i -> Integer.parseInt(arguments[i]))
                .toArray();
    System.out.println(IntegerKernels.probe());
    compare("LeNet", Networks.leNet(SIZE, FashionMini.CLASSES, 1), batches);
    compare("residual", Networks.residual(SIZE, FashionMini.CLASSES, 1), batches);
  }

  private static void compare(String name, Model network, int[] batches) {
    INDArray images = FashionMini.images(1).train().getFeatures();
    QuantizedModel model =
        Quantization.of(network)
            .target(Target.ONNX)
            .weightBits(8)
            .calibrate(rows(images, CALIBRATED))
            .convert();
    Dl4jNetwork dl4j = Dl4jNetwork.of(network);
    IntegerNetwork integers = model.toIntegerNetwork();
    OnnxOptions unsigned = OnnxOptions.builder().signedCodes(SignedCodes.UINT8).build();
    try (OnnxNetwork floats =
            OnnxNetwork.of(
                Quantization.of(network).toFloatOnnx(OnnxOptions.defaults()),
                OnnxRuntimeOptions.DEFAULTS);
        OnnxNetwork codes = OnnxNetwork.of(model.toOnnx(), OnnxRuntimeOptions.DEFAULTS);
        OnnxNetwork bytes = OnnxNetwork.of(model.toOnnx(unsigned), OnnxRuntimeOptions.DEFAULTS)) {
      for (int batch : batches) {
        INDArray input = rows(images, batch).dup('c');
        Tensor tensor = Tensors.of(input);
        Map<String, Supplier<Object>> alternatives = new LinkedHashMap<>();
        alternatives.put("DL4J", () -> dl4j.output(input));
        alternatives.put("integer network", () -> integers.output(tensor));
        alternatives.put("ONNX float", () -> floats.output(input));
        alternatives.put("ONNX int8", () -> codes.output(input));
        alternatives.put("ONNX uint8", () -> bytes.output(input));
        System.out.printf(Locale.ROOT, "%s, batch %d%n%s", name, batch, table(alternatives));
      }
    }
  }

  private static INDArray rows(INDArray images, int count) {
    return images.get(NDArrayIndex.interval(0, count));
  }

  private static String table(Map<String, Supplier<Object>> alternatives) {
    Map<String, List<Double>> times = new LinkedHashMap<>();
    alternatives.forEach(
        (name, call) -> {
          microseconds(call, WARM_UP_NANOS);
          times.put(name, new ArrayList<>());
        });
    for (int round = 0; round < ROUNDS; round++) {
      alternatives.forEach(
          (name, call) ->
              times.getOrDefault(name, new ArrayList<>()).add(microseconds(call, TURN_NANOS)));
    }
    List<Double> dl4j = times.getOrDefault("DL4J", List.of());
    List<Double> floats = times.getOrDefault("ONNX float", List.of());
    StringBuilder table = new StringBuilder();
    times.forEach(
        (name, taken) ->
            table.append(
                String.format(
                    Locale.ROOT,
                    "  %-16s %10.0f us, %s times DL4J, %s times ONNX float%n",
                    name,
                    Quantiles.median().compute(taken),
                    ratios(dl4j, taken),
                    ratios(floats, taken))));
    return table.toString();
  }

  private static String ratios(List<Double> slow, List<Double> fast) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < fast.size(); i++) {
      ratios.add(slow.get(i) / fast.get(i));
    }
    Map<Integer, Double> quartiles = Quantiles.quartiles().indexes(1, 2, 3).compute(ratios);
    return String.format(
        Locale.ROOT, "%.2f [%.2f, %.2f]", quartiles.get(2), quartiles.get(1), quartiles.get(3));
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
}
