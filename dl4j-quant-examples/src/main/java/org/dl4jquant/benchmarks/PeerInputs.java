package org.dl4jquant.benchmarks;

import com.google.common.primitives.ImmutableLongArray;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.Conversion;
import org.dl4jquant.examples.IntegerAccuracyStudy;
import org.dl4jquant.examples.IntegerAccuracyStudy.Subject;
import org.dl4jquant.examples.Split;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Writes for each network of {@link IntegerAccuracyStudy} what {@code compare_with_onnxruntime.py}
 * compares: the float network, ours of 8-bit activations with weights of 8 and 4 bits and logits of
 * 16 and 8 bits, ours with affine formats, and the data as {@code .npy} files.
 *
 * <p>Arguments: the directory to write to; the directory of trained networks, plain zips that the
 * study has left there, or that are trained and left; and names such as {@code digits-MLP}, all
 * without.
 */
public final class PeerInputs {
  private static final int CALIBRATED = 256;
  private static final int OPSET = 21;
  private static final long SEED = 42;

  private PeerInputs() {}

  /** Writes a directory per network. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    IntegerAccuracyStudy study =
        new IntegerAccuracyStudy(Files.createDirectories(Path.of(arguments[1])));
    List<String> names = List.of(arguments).subList(2, arguments.length);
    for (Subject subject : IntegerAccuracyStudy.SUBJECTS) {
      String name = (subject.data() + " " + subject.network()).replace(' ', '-');
      if (names.isEmpty() || names.contains(name)) {
        Split split = subject.split().apply(SEED);
        Model network = study.trained(subject, SEED, split.train());
        write(network, split, Files.createDirectories(directory.resolve(name)));
        System.out.println(name);
      }
    }
  }

  private static void write(Model network, Split split, Path directory) {
    INDArray calibration =
        split.train().getFeatures().get(NDArrayIndex.interval(0, CALIBRATED)).dup('c');
    OnnxOptions options = OnnxOptions.builder().opset(OPSET).build();
    Quantization start = Quantization.of(network);
    start.exportFloatOnnx(directory.resolve("float.onnx"), options);
    Quantization calibrated = start.calibrate(calibration).target(Target.ONNX);
    for (int bits : List.of(8, 4)) {
      Quantization sized = calibrated.weightBits(bits);
      Conversion eight = calibrated.conversion().withOutputBits(8);
      String name = "w" + bits + "a8-";
      sized.convert().exportOnnx(directory.resolve(name + "logits16.onnx"), options);
      Map.of("logits8", eight, "affine-logits8", eight.withScheme(Scheme.AFFINE))
          .forEach(
              (way, conversion) ->
                  sized
                      .conversion(conversion)
                      .convert()
                      .exportOnnx(directory.resolve(name + way + ".onnx"), options));
    }
    DataSet test = split.test();
    npy(directory.resolve("calibration.npy"), calibration);
    npy(directory.resolve("test.npy"), test.getFeatures());
    npy(directory.resolve("labels.npy"), test.getLabels());
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
