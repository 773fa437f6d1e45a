package org.dl4jquant.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.precision.Target;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A network that leaves DL4J: trained on the bundled digits, written as an ONNX file in float and
 * in integers, compared code by code with the integer network, and timed beside {@code output}.
 *
 * <p>Argument: the directory to write to; {@code dl4j-quant-examples/target/onnx} without.
 */
public final class ExportToOnnx {
  private static final int EPOCHS = 8;
  private static final int BATCH = 32;
  private static final int CALIBRATED = 200;
  private static final int WARM_UP = 20;
  private static final int TIMED = 50;

  private ExportToOnnx() {}

  /** Runs the example. */
  public static void main(String[] arguments) throws IOException {
    Path directory =
        Path.of(arguments.length > 0 ? arguments[0] : "dl4j-quant-examples/target/onnx");
    System.out.println(run(directory, EPOCHS).toJson());
  }

  private static ListDataSetIterator<DataSet> batches(DataSet data) {
    return new ListDataSetIterator<>(data.asList(), BATCH);
  }

  static OnnxComparison run(Path directory, int epochs) throws IOException {
    Split digits = Digits.images(1);
    MultiLayerNetwork network = Networks.batchNormCnn(8, Digits.CLASSES, 1);
    network.fit(batches(digits.train()), epochs);

    Files.createDirectories(directory);
    Path floatFile = directory.resolve("digits-float.onnx");
    Path integerFile = directory.resolve("digits-int8.onnx");
    Quantization quantization = Quantization.of(network).weightBits(8);
    quantization.exportFloatOnnx(floatFile);
    INDArray calibration = digits.train().getFeatures().get(NDArrayIndex.interval(0, CALIBRATED));
    QuantizedModel quantized = quantization.target(Target.ONNX).calibrate(calibration).convert();
    quantized.exportOnnx(integerFile);

    OnnxComparison comparison = quantized.verifyOnnx(batches(digits.test()), integerFile);
    System.out.printf(
        Locale.ROOT,
        "%s: %d of %d codes differ from the integer network%n",
        integerFile,
        comparison.mismatches(),
        comparison.elements());

    INDArray images = digits.test().getFeatures();
    try (OnnxNetwork floats = OnnxNetwork.open(floatFile);
        OnnxNetwork integers = OnnxNetwork.open(integerFile)) {
      row("DL4J", network.output(images), digits.test(), () -> network.output(images));
      row("ONNX float", floats.output(images), digits.test(), () -> floats.output(images));
      row("ONNX int8", integers.output(images), digits.test(), () -> integers.output(images));
    }
    return comparison;
  }

  private static void row(String name, INDArray output, DataSet data, Supplier<INDArray> call) {
    double hits = 0;
    for (int i = 0; i < output.rows(); i++) {
      hits +=
          output.getRow(i).argMax().getInt(0) == data.getLabels().getRow(i).argMax().getInt(0)
              ? 1
              : 0;
    }
    System.out.printf(
        Locale.ROOT,
        "%-11s accuracy %.4f, %7.2f ms for %d images%n",
        name,
        hits / output.rows(),
        millis(call),
        output.rows());
  }

  private static double millis(Supplier<INDArray> call) {
    long start = 0;
    for (int i = -WARM_UP; i < TIMED; i++) {
      start = i == 0 ? System.nanoTime() : start;
      if (call.get().isEmpty()) {
        throw new IllegalStateException("no output");
      }
    }
    return (System.nanoTime() - start) / 1e6 / TIMED;
  }
}
