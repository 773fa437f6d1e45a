package org.dl4jquant.benchmarks;

import com.google.common.primitives.ImmutableLongArray;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.Conversion;
import org.dl4jquant.examples.Digits;
import org.dl4jquant.examples.FashionMini;
import org.dl4jquant.examples.Networks;
import org.dl4jquant.examples.Split;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.precision.Target;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Trains five networks and writes for each what {@code compare_with_onnxruntime.py} compares: the
 * float network, ours of 8-bit activations with weights of 8 and 4 bits and logits of 16 and 8
 * bits, and the data as {@code .npy} files.
 *
 * <p>Arguments: the directory to write to, and the names of networks; all without.
 */
public final class PeerInputs {
  private static final int BATCH = 32;
  private static final int CALIBRATED = 256;
  private static final int OPSET = 21;
  private static final long SEED = 42;

  private PeerInputs() {}

  private record Subject(Model network, Split split, int epochs) {}

  /** Writes a directory per network. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Map<String, Subject> subjects = new LinkedHashMap<>();
    Split fashion = FashionMini.images(SEED);
    int classes = FashionMini.CLASSES;
    subjects.put("mlp", new Subject(Networks.mlp(64, classes, SEED), Digits.vectors(SEED), 30));
    subjects.put("plain-cnn", new Subject(Networks.plainCnn(28, classes, SEED), fashion, 4));
    subjects.put(
        "batch-norm-cnn", new Subject(Networks.batchNormCnn(28, classes, SEED), fashion, 4));
    subjects.put("residual", new Subject(Networks.residual(28, classes, SEED), fashion, 4));
    subjects.put("lstm", new Subject(Networks.lstm(8, classes, SEED), Digits.sequences(SEED), 30));
    if (arguments.length > 1) {
      subjects.keySet().retainAll(List.of(arguments));
    }
    for (Map.Entry<String, Subject> subject : subjects.entrySet()) {
      write(subject.getValue(), Files.createDirectories(directory.resolve(subject.getKey())));
      System.out.println(subject.getKey());
    }
  }

  private static void write(Subject subject, Path directory) {
    fit(subject);
    DataSet train = subject.split().train();
    INDArray calibration = train.getFeatures().get(NDArrayIndex.interval(0, CALIBRATED)).dup('c');
    OnnxOptions options = OnnxOptions.builder().opset(OPSET).build();
    Quantization start = Quantization.of(subject.network());
    start.exportFloatOnnx(directory.resolve("float.onnx"), options);
    for (int bits : List.of(8, 4)) {
      for (int logitBits : List.of(16, 8)) {
        String name = "w" + bits + "a8-logits" + logitBits + ".onnx";
        start
            .weightBits(bits)
            .conversion(Conversion.DEFAULT.withTarget(Target.ONNX).withOutputBits(logitBits))
            .calibrate(calibration)
            .convert()
            .exportOnnx(directory.resolve(name), options);
      }
    }
    DataSet test = subject.split().test();
    npy(directory.resolve("calibration.npy"), calibration);
    npy(directory.resolve("test.npy"), test.getFeatures());
    npy(directory.resolve("labels.npy"), test.getLabels());
  }

  private static void fit(Subject subject) {
    List<DataSet> examples = subject.split().train().asList();
    ListDataSetIterator<DataSet> batches = new ListDataSetIterator<>(examples, BATCH);
    if (subject.network() instanceof MultiLayerNetwork layers) {
      layers.fit(batches, subject.epochs());
    } else {
      ((ComputationGraph) subject.network()).fit(batches, subject.epochs());
    }
  }

  private static void npy(Path file, INDArray array) {
    ImmutableLongArray sizes = ImmutableLongArray.copyOf(array.shape());
    String shape =
        LongStream.of(sizes.toArray())
            .mapToObj(size -> size + ",")
            .collect(Collectors.joining(" ", "(", ")"));
    String header = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n".formatted(shape);
    float[] values = array.dup('c').data().asFloat();
    ByteBuffer bytes =
        ByteBuffer.allocate(10 + header.length() + Float.BYTES * values.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    bytes.put((byte) 1).put((byte) 0).putShort((short) header.length());
    bytes.put(header.getBytes(StandardCharsets.US_ASCII));
    for (float value : values) {
      bytes.putFloat(value);
    }
    try {
      Files.write(file, bytes.array());
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be written: " + e, e);
    }
  }
}
