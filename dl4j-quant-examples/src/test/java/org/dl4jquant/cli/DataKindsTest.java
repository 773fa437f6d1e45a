package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Features and labels of every type and order that NumPy writes mean the same. */
final class DataKindsTest {
  private static final int EXAMPLES = 70;
  private static final long[] SHAPE = {EXAMPLES, 2, 4, 3};
  private static final int CLASSES = 4;

  private static final List<String> FEATURE_TYPES =
      List.of("<f2", "<f4", "<f8", ">f4", "|u1", "<i4");

  private static final List<String> LABEL_TYPES =
      List.of("<i4", "<i8", "|u1", "<f4", "<f8", "|i1", "<u2");

  @TempDir static Path folder;

  private static Path model;
  private static Path archive;
  private static INDArray x;
  private static int[] labels;

  @BeforeAll
  static void save() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(2)
                .list()
                .layer(
                    new ConvolutionLayer.Builder(2, 2)
                        .nIn(2)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build())
                .layer(new GlobalPoolingLayer())
                .layer(
                    new OutputLayer.Builder()
                        .nIn(5)
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build());
    network.init();
    Nd4j.getRandom().setSeed(4);
    x = Nd4j.rand(SHAPE).muli(9);
    for (int i = 0; i < x.length(); i++) {
      x.putScalar(i, Math.floor(x.getDouble(i))); // whole numbers are the same in every type
    }
    labels = network.output(x).argMax(1).toIntVector();
    model = folder.resolve("network.zip");
    archive = folder.resolve("network.dq.zip");
    ModelSerializer.writeModel(network, model.toFile(), false);
    Path data = new Npz().floats("x", x).write(folder.resolve("x.npz"));
    CommandRun.succeed(
        "quantize",
        model,
        "--calibration",
        data,
        "--bits",
        14,
        "--activation-bits",
        14,
        "--out",
        archive);
  }

  @Test
  void featuresOfEveryTypeAndOrder() throws IOException {
    double[] rows = x.dup('c').data().asDouble();
    double[] columns = x.dup('f').data().asDouble();
    for (String type : FEATURE_TYPES) {
      for (boolean fortran : new boolean[] {false, true}) {
        assertRight(
            new Npz()
                .raw("x", type, fortran, SHAPE, bytes(type, fortran ? columns : rows))
                .int64("y", labels),
            type + (fortran ? " in Fortran order" : ""));
        Path data = folder.resolve("data.npz");
        JsonNode integers =
            CommandRun.succeed("evaluate", archive, "--engine", "integer", "--data", data).json();
        assertEquals(1.0, integers.get("accuracy").doubleValue(), 0.05, type);
      }
    }
  }

  @Test
  void labelsOfEveryTypeAndShape() throws IOException {
    double[] indices = new double[EXAMPLES];
    double[] oneHot = new double[EXAMPLES * CLASSES];
    double[] oneHotColumns = new double[EXAMPLES * CLASSES];
    for (int i = 0; i < EXAMPLES; i++) {
      indices[i] = labels[i];
      oneHot[i * CLASSES + labels[i]] = 1;
      oneHotColumns[labels[i] * EXAMPLES + i] = 1;
    }
    for (String type : LABEL_TYPES) {
      long[][] shapes = {{EXAMPLES}, {EXAMPLES, 1}, {EXAMPLES, CLASSES}};
      for (long[] shape : shapes) {
        boolean hot = shape.length == 2 && shape[1] > 1;
        assertRight(
            new Npz()
                .floats("x", x)
                .raw("y", type, false, shape, bytes(type, hot ? oneHot : indices)),
            type + " of rank " + shape.length);
      }
      assertRight(
          new Npz().floats("x", x).raw("y", type, true, shapes[2], bytes(type, oneHotColumns)),
          type + " in Fortran order");
    }
  }

  @Test
  void whatHoldsNoNumbersIsRefused() throws IOException {
    Path objects =
        new Npz()
            .floats("x", x)
            .raw("y", "|O", false, new long[] {EXAMPLES}, new byte[8])
            .write(folder.resolve("objects.npz"));
    CommandRun.fail(
        1,
        objects
            + ", array y: element type must be float16, float32, float64, boolean or an integer of"
            + " 8 to 64 bits, found object",
        "evaluate",
        model,
        "--data",
        objects);
    Path empty = Files.createFile(folder.resolve("empty.npz"));
    CommandRun.fail(1, empty + ": is not a readable .npz file", "evaluate", model, "--data", empty);
    Path csv = Files.createFile(folder.resolve("empty.csv"));
    CommandRun none = CommandRun.of("evaluate", model, "--data", csv);
    assertEquals(1, none.status(), none.err());
    assertEquals(1, none.err().lines().count(), none.err());
  }

  private static void assertRight(Npz arrays, String what) throws IOException {
    Path data = arrays.write(folder.resolve("data.npz"));
    JsonNode floats = CommandRun.succeed("evaluate", model, "--data", data).json();
    assertEquals(1.0, floats.get("accuracy").doubleValue(), what);
  }

  /** Returns the half-precision bits of a whole number from 0 to 15. */
  private static short half(int value) {
    int exponent = value == 0 ? -15 : 31 - Integer.numberOfLeadingZeros(value);
    int fraction = value == 0 ? 0 : (value << (10 - exponent)) & 0x3ff;
    return (short) (((exponent + 15) << 10) | fraction);
  }

  private static byte[] bytes(String type, double... values) {
    int width = Character.digit(type.charAt(2), 10);
    ByteBuffer bytes =
        ByteBuffer.allocate(width * values.length)
            .order(type.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      switch (type.substring(1)) {
        case "f2" -> bytes.putShort(half((int) value));
        case "f4" -> bytes.putFloat((float) value);
        case "f8" -> bytes.putDouble(value);
        case "i8" -> bytes.putLong((long) value);
        case "i4" -> bytes.putInt((int) value);
        case "u2" -> bytes.putShort((short) value);
        default -> bytes.put((byte) value);
      }
    }
    return bytes.array();
  }
}
