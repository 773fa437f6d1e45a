package org.dl4jquant.export;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A plain zip opened by a Java process whose class path holds nothing of this library. */
final class StockJvmTest {
  private static final String PROGRAM =
      """
      import java.io.File;
      import java.util.Arrays;
      import org.deeplearning4j.util.ModelSerializer;
      import org.nd4j.linalg.factory.Nd4j;

      public class Stock {
        public static void main(String[] arguments) throws Exception {
          try {
            Class.forName("org.dl4jquant.Quantization");
            System.out.println("the library is on the class path");
          } catch (ClassNotFoundException e) {
            System.out.println(Arrays.toString(
                ModelSerializer.restoreMultiLayerNetwork(new File(arguments[0]))
                    .output(Nd4j.linspace(-1, 1, 2 * 36).castTo(
                        org.nd4j.linalg.api.buffer.DataType.FLOAT).reshape(2, 1, 6, 6))
                    .dup('c').data().asFloat()));
          }
        }
      }
      """;

  @TempDir Path folder;

  @Test
  void stockDeeplearning4jComputesTheSameFromThePlainZip() throws Exception {
    QuantizedModel model = Quantization.of(network()).weightBits(4).convert();
    Path zip = folder.resolve("m.zip");
    PlainArchive.write(model, zip);
    INDArray input = Nd4j.linspace(-1, 1, 2 * 36).castTo(DataType.FLOAT).reshape(2, 1, 6, 6);
    float[] expected = model.network().output(input).get(0).dup('c').data().asFloat();

    assertEquals(Arrays.toString(expected), runStock(zip));
  }

  private String runStock(Path zip) throws IOException, InterruptedException {
    Path program = Files.writeString(folder.resolve("Stock.java"), PROGRAM);
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(entry -> entry.endsWith(".jar"))
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                classPath,
                program.toString(),
                zip.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    return output.lines().reduce("", (first, last) -> last);
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(4).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.convolutional(6, 6, 1))
                .build());
    network.init();
    return network;
  }
}
