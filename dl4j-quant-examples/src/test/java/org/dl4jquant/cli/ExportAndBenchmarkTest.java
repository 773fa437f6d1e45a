package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.examples.CommandFixtures;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;

final class ExportAndBenchmarkTest {
  @TempDir static Path folder;

  private static Path model;
  private static Path archive;
  private static Path sequences;

  @BeforeAll
  static void save() throws IOException {
    model = folder.resolve("network.zip");
    archive = folder.resolve("network.dq.zip");
    ModelSerializer.writeModel(CommandFixtures.untrained(), model.toFile(), false);
    Path data =
        new Npz()
            .floats("x", CommandFixtures.testExamples().getFeatures())
            .write(folder.resolve("data.npz"));
    CommandRun.succeed("quantize", model, "--calibration", data, "--out", archive);
    MultiLayerNetwork recurrent =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(new LSTM.Builder().nIn(3).nOut(5).build())
                .layer(new RnnOutputLayer.Builder().nIn(5).nOut(2).build())
                .build());
    recurrent.init();
    sequences = folder.resolve("sequences.zip");
    ModelSerializer.writeModel(recurrent, sequences.toFile(), false);
  }

  @Test
  void aHeaderIsNamedAfterItsFile() throws IOException {
    Path header = folder.resolve("My-Net.h");

    CommandRun run =
        CommandRun.succeed("export", archive, "--c-header", header, "--input-shape", "1,8,8");

    assertEquals(header + ": computes one example by my_net_run\n", run.out());
    String text = Files.readString(header);
    assertTrue(text.contains("#define MY_NET_INPUTS 64\n"), text);
    assertTrue(text.contains("#define MY_NET_OUTPUTS 10\n"), text);
    CommandRun.succeed(
        "export", archive, "--c-header", header, "--input-shape", "1,8,8", "--name", "digits");
    assertTrue(Files.readString(header).contains("void digits_run("));
  }

  @Test
  void whatCannotBeWrittenIsSaid() {
    Path header = folder.resolve("never.h");
    CommandRun.fail(
        2,
        "say what to write: --onnx OUT.onnx or --c-header FILE.h; try --help",
        "export",
        archive);
    CommandRun.fail(
        2,
        archive + " would overwrite MODEL; try --help",
        "export",
        archive,
        "--c-header",
        archive);
    CommandRun.fail(
        1,
        model
            + ": is a float network; integers need an archive that quantize --calibration FILE has"
            + " written",
        "export",
        model,
        "--c-header",
        header);
    CommandRun.fail(
        1,
        archive
            + ": leaves sizes of features open, such as in [examples, 1, 8 to 9, 8 to 9]; give"
            + " --input-shape, for example 1,8,8",
        "export",
        archive,
        "--c-header",
        header);
    CommandRun.fail(
        1,
        archive
            + ": must have features of shape [examples, 1, 8 to 9, 8 to 9], found --input-shape"
            + " [1, 7, 8]",
        "export",
        archive,
        "--c-header",
        header,
        "--input-shape",
        "1,7,8");
    CommandRun.fail(
        1,
        "name must be a C identifier in lower case, found 3d",
        "export",
        archive,
        "--c-header",
        header,
        "--input-shape",
        "1,8,8",
        "--name",
        "3d");
    assertTrue(Files.notExists(header));
  }

  /** Of squares only 4 by 4 gives the dense layer four positions, but 6 by 3 does, too. */
  @Test
  void anImageMayBeNoSquare() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(
                    new ConvolutionLayer.Builder(3, 3).nOut(2).activation(Activation.RELU).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.convolutional(6, 3, 1))
                .build());
    network.init();
    Path file = folder.resolve("upright.zip");
    ModelSerializer.writeModel(network, file.toFile(), false);
    Path data = new Npz().floats("x", Nd4j.rand(9, 1, 6, 3)).write(folder.resolve("upright.npz"));
    Path quantized = folder.resolve("upright.dq.zip");
    CommandRun.succeed("quantize", file, "--calibration", data, "--out", quantized);
    Path header = folder.resolve("upright.h");
    CommandRun.fail(
        1,
        quantized
            + ": leaves sizes of features open, such as in [examples, 1, 4, 4]; give --input-shape,"
            + " for example 1,4,4",
        "export",
        quantized,
        "--c-header",
        header);
    CommandRun.succeed("export", quantized, "--c-header", header, "--input-shape", "1,6,3");
    assertTrue(Files.readString(header).contains("#define UPRIGHT_INPUTS 18\n"));
  }

  @Test
  void everyEngineIsMeasuredAtEveryBatch() throws IOException {
    for (Path file : new Path[] {model, archive}) {
      CommandRun run = CommandRun.succeed("benchmark", file, "--batch", "1,3", "--seconds", 0.2);

      assertTrue(run.out().startsWith("batch  engine"), run.out());
      assertEquals(1 + 8 + 1, run.outLines().size(), run.out());
      JsonNode results = run.json().get("results");
      assertEquals(8, results.size());
      assertEquals(1, results.get(0).get("speedup").doubleValue());
      JsonNode last = results.get(6);
      assertEquals("integer", last.get("engine").textValue());
      assertEquals(3, last.get("batch").intValue());
      assertTrue(last.get("milliseconds").doubleValue() > 0, results::toString);
      assertEquals(
          3000 / last.get("milliseconds").doubleValue(),
          last.get("examplesPerSecond").doubleValue(),
          1e-6);
      double speedup = last.get("speedup").doubleValue();
      assertTrue(last.get("speedupQuartile1").doubleValue() <= speedup, results::toString);
      assertTrue(last.get("speedupQuartile3").doubleValue() >= speedup, results::toString);
    }
  }

  @Test
  void sequencesNeedALengthOrData() throws IOException {
    CommandRun.fail(
        1,
        sequences
            + ": leaves sizes of features open, such as in [examples, 3, any]; give --input-shape,"
            + " for example 3,32",
        "benchmark",
        sequences);
    CommandRun.succeed(
        "benchmark", sequences, "--batch", 2, "--seconds", 0.1, "--input-shape", "3,4");
    Path data = new Npz().floats("x", Nd4j.rand(5, 3, 4)).write(folder.resolve("steps.npz"));
    CommandRun.succeed("benchmark", sequences, "--batch", 2, "--seconds", 0.1, "--data", data);
    CommandRun.fail(
        2, "--batch must be at least 1, found [0]; try --help", "benchmark", model, "--batch", 0);
    CommandRun.fail(
        2,
        "--seconds must be more than 0, at most 3600, found 0.0; try --help",
        "benchmark",
        model,
        "--seconds",
        0);
  }
}
