package org.dl4jquant.onnxruntime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class OnnxNetworkTest {
  @TempDir Path folder;

  private static final NetworkGraph GRAPH =
      NetworkGraph.builder()
          .input("left", 5)
          .input("right", 5)
          .add("sum", new Add(), "left", "right")
          .add("dense", new Dense(random(3, 5), random(3)), "sum")
          .add("out", new Softmax(), "dense")
          .output("out", "dense")
          .build();

  private static Tensor random(int... shape) {
    Tensor tensor = Tensor.zeros(shape);
    Random random = new Random(9);
    for (int i = 0; i < tensor.length(); i++) {
      tensor.values()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  private Path file(OnnxOptions options) {
    Path file = folder.resolve("network.onnx");
    OnnxExport.ofFloat(GRAPH, options).writeTo(file);
    return file;
  }

  private Path file() {
    return file(OnnxOptions.defaults());
  }

  private static String refused(Path file) {
    return String.valueOf(
        assertThrows(InvalidOnnxException.class, () -> OnnxNetwork.open(file)).getMessage());
  }

  @Test
  void arraysOfAnyOrderAndTypeAreTaken() {
    try (OnnxNetwork network = OnnxNetwork.open(file())) {
      assertEquals(List.of("left", "right"), network.inputs());
      assertEquals(List.of("out", "dense"), network.outputs());
      INDArray left =
          Nd4j.create(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, new long[] {5, 2}, 'c');
      INDArray transposed = left.transpose();
      INDArray right = Nd4j.ones(DataType.DOUBLE, 2, 5).mul(0.5);
      Tensor first = Tensor.of(new float[] {1, 3, 5, 7, 9, 2, 4, 6, 8, 10}, 2, 5);
      Tensor second =
          Tensor.of(new float[] {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f}, 2, 5);
      Map<String, Tensor> expected =
          FloatNetwork.of(GRAPH).values(Map.of("left", first, "right", second));
      INDArray[] outputs = network.outputs(transposed, right);
      assertArrayEquals(new long[] {2, 3}, outputs[0].shape());
      assertArrayEquals(expected.get("out").values(), outputs[0].data().asFloat(), 1e-5f);
      assertArrayEquals(expected.get("dense").values(), outputs[1].data().asFloat(), 1e-4f);
      assertEquals(outputs[0], network.output(transposed, right));
    }
  }

  @Test
  void wrongInputsAreRefusedWithTheShapesWanted() {
    try (OnnxNetwork network = OnnxNetwork.open(file())) {
      INDArray good = Nd4j.ones(2, 5);
      assertEquals("inputs must be 2, [left, right], found 1", message(() -> network.output(good)));
      assertEquals(
          "input 'right' must have shape [-1, 5] (-1 for any size from 1), found [2, 4]",
          message(() -> network.output(good, Nd4j.ones(2, 4))));
      assertEquals(
          "input 'right' must have shape [-1, 5] (-1 for any size from 1), found [5]",
          message(() -> network.output(good, Nd4j.ones(5))));
      assertEquals(
          "inputs must be [left, right], found [left]",
          message(() -> network.outputs(Map.of("left", Tensor.zeros(2, 5)))));
      assertEquals(
          "inputs must have one batch size, found [Tensor[2, 5], Tensor[3, 5]]",
          message(() -> network.output(good, Nd4j.ones(3, 5))));
    }
  }

  private static String message(Runnable call) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }

  @Test
  void aClosedNetworkSaysSo() {
    OnnxNetwork network = OnnxNetwork.open(file(), OnnxRuntimeOptions.DEFAULTS.withThreads(1));
    network.warmUp(7);
    network.close();
    network.close();
    assertEquals(
        "the network is closed",
        assertThrows(IllegalStateException.class, () -> network.warmUp(1)).getMessage());
  }

  @Test
  void constantsMayLieInAFileBeside() {
    OnnxOptions beside = OnnxOptions.builder().externalDataAbove(0).build();
    INDArray ones = Nd4j.ones(4, 5);
    INDArray expected;
    try (OnnxNetwork network = OnnxNetwork.open(file())) {
      expected = network.output(ones, ones);
    }
    Path file = file(beside);
    assertTrue(Files.exists(folder.resolve("network.onnx.data")));
    try (OnnxNetwork network = OnnxNetwork.open(file)) {
      assertEquals(expected, network.output(ones, ones));
    }
    OnnxModel model = OnnxExport.ofFloat(GRAPH, beside);
    assertThrows(IllegalStateException.class, model::toByteArray);
  }

  @Test
  void foreignFilesAreRefused() throws IOException {
    Path text = Files.writeString(folder.resolve("text.onnx"), "this is no network");
    assertTrue(refused(text).startsWith(text + ": ONNX Runtime refuses it: "), refused(text));
    Path empty = Files.createFile(folder.resolve("empty.onnx"));
    assertEquals(empty + ": must have 1 to 2147483647 bytes, found 0", refused(empty));
    assertTrue(refused(folder).contains("is not a file"), refused(folder));
    Path absent = folder.resolve("absent.onnx");
    assertThrows(UncheckedIOException.class, () -> OnnxNetwork.open(absent));
    byte[] random = new byte[5000];
    new Random(1).nextBytes(random);
    refused(Files.write(folder.resolve("random.onnx"), random));
    refused(Files.write(folder.resolve("zip.onnx"), "PK\3\4".getBytes(StandardCharsets.US_ASCII)));
  }

  @Test
  void hugeFilesAreRefusedBeforeTheyAreRead() throws IOException {
    Path huge = folder.resolve("huge.onnx");
    try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
      file.setLength(3L << 30);
    }
    assertTrue(refused(huge).contains("found 3221225472"), refused(huge));
  }

  @Test
  void damagedFilesAreRefusedOrAreStillNetworks() throws IOException {
    byte[] good = Files.readAllBytes(file());
    int refused = 0;
    for (int length = 1; length < good.length; length += 7) {
      Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(good, length));
      refused += opens(cut) ? 0 : 1;
    }
    Random random = new Random(2);
    for (int i = 0; i < 200; i++) {
      byte[] damaged = good.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      refused += opens(Files.write(folder.resolve("damaged.onnx"), damaged)) ? 0 : 1;
    }
    assertTrue(refused > 100, "only " + refused);
  }

  private static boolean opens(Path file) {
    try (OnnxNetwork network = OnnxNetwork.open(file)) {
      return !network.outputs().isEmpty();
    } catch (InvalidOnnxException e) {
      assertTrue(String.valueOf(e.getMessage()).startsWith(file.toString()));
      return false;
    }
  }

  @Test
  void sizesThatOnlyDataTellsCannotBeWarmedUp() {
    NetworkGraph graph =
        NetworkGraph.builder()
            .input("in", 2, Shape.UNKNOWN)
            .add("out", new Softmax(), "in")
            .output("out")
            .build();
    OnnxModel model = OnnxExport.ofFloat(graph, OnnxOptions.defaults());
    try (OnnxNetwork network = OnnxNetwork.of(model, OnnxRuntimeOptions.DEFAULTS)) {
      assertEquals(
          "input 'in' must have known sizes after the batch, found [2, -1]",
          message(() -> network.warmUp(1)));
      assertArrayEquals(new long[] {1, 2, 9}, network.output(Nd4j.ones(1, 2, 9)).shape());
    }
  }

  @Test
  void withoutOnnxRuntimeTheErrorNamesTheDependency() throws Exception {
    URL[] urls =
        Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .filter(path -> !Path.of(path).getFileName().toString().startsWith("onnxruntime"))
            .map(OnnxNetworkTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      Class<?> network = loader.loadClass(OnnxNetwork.class.getName());
      InvocationTargetException thrown =
          assertThrows(
              InvocationTargetException.class,
              () -> network.getMethod("open", Path.class).invoke(null, file()));
      assertEquals(
          OnnxRuntimeMissingException.class.getName(), thrown.getCause().getClass().getName());
      assertTrue(
          thrown.getCause().getMessage().contains("com.microsoft.onnxruntime:onnxruntime"),
          thrown.getCause().getMessage());
    }
  }

  private static URL url(String path) {
    try {
      return Path.of(path).toUri().toURL();
    } catch (java.net.MalformedURLException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
