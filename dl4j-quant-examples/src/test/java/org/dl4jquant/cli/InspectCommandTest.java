package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What inspect says of each layer is what conversion does. */
final class InspectCommandTest {
  private static final String SOFTMAX = "integer, softmax in float";

  @TempDir Path folder;

  @Test
  void imagesAreIntegersThroughout() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(
                    new ConvolutionLayer.Builder(3, 3)
                        .name("conv")
                        .nOut(4)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new BatchNormalization.Builder().name("norm").build())
                .layer(
                    new ActivationLayer.Builder().activation(Activation.RELU).name("relu").build())
                .layer(new DropoutLayer.Builder(0.5).name("drop").build())
                .layer(new SubsamplingLayer.Builder().name("pool").build())
                .layer(new OutputLayer.Builder().name("out").nOut(3).build())
                .setInputType(InputType.convolutional(6, 6, 2))
                .build());
    network.init();

    assertSays(
        network,
        Nd4j.randn(40, 2, 6, 6),
        List.of(
            "conv .* integer",
            "norm .* folded into conv",
            "relu .* integer",
            "drop .* nothing to compute",
            "pool .* integer",
            "out .* " + SOFTMAX),
        List.of("conv .* integer", "norm .* nothing to compute", "out .* " + SOFTMAX));
  }

  @Test
  void whatStaysFloatHasItsReason() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(new LSTM.Builder().name("lstm").nIn(3).nOut(5).build())
                .layer(new RnnOutputLayer.Builder().name("out").nIn(5).nOut(2).build())
                .build());
    network.init();
    String lstm =
        "lstm .* quantized weights, computed in float: its recurrent state is computed in float";

    assertSays(
        network,
        Nd4j.randn(40, 3, 7),
        List.of(lstm, "out .* " + SOFTMAX),
        List.of(lstm, "out .* " + SOFTMAX));
  }

  @Test
  void verticesAreListedToo() throws IOException {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("in")
                .addLayer("a", new DenseLayer.Builder().nIn(4).nOut(4).build(), "in")
                .addLayer("slopes", new PReLULayer.Builder().inputShape(4).build(), "a")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "slopes")
                .addVertex(
                    "product", new ElementWiseVertex(ElementWiseVertex.Op.Product), "a", "sum")
                .addLayer("out", new OutputLayer.Builder().nIn(4).nOut(3).build(), "product")
                .setOutputs("out")
                .build());
    network.init();
    List<String> says =
        List.of(
            "a .* integer",
            "slopes .*float: its slopes are learned per element",
            "out .* " + SOFTMAX,
            "sum +float: an input of it is float, and .*",
            "product +float: its operation Product is computed in float");

    assertSays(network, Nd4j.randn(40, 4), says, says);
  }

  @Test
  void whatCannotBeConvertedIsSaidAndWeightsCan() throws IOException {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("left", "right")
                .addLayer("l", new DenseLayer.Builder().nIn(4).nOut(4).build(), "left")
                .addLayer("r", new DenseLayer.Builder().nIn(4).nOut(4).build(), "right")
                .addVertex("stack", new StackVertex(), "l", "r")
                .addLayer("out", new OutputLayer.Builder().nIn(4).nOut(3).build(), "stack")
                .setOutputs("out")
                .build());
    network.init();
    Path model = save(network);

    CommandRun run = CommandRun.succeed("inspect", model);

    assertTrue(run.out().contains("\nConversion to integers will fail: "), run.out());
    assertTrue(run.out().contains("stack"), run.out());
    Path out = folder.resolve("w.dq.zip");
    CommandRun.succeed("quantize", model, "--out", out);
    assertTrue(
        CommandRun.succeed("inspect", out)
            .outLines()
            .get(2)
            .endsWith("quantized weights, computed in float"));
    Path data =
        new Npz()
            .floats("left", Nd4j.rand(40, 4))
            .floats("right", Nd4j.rand(40, 4))
            .write(folder.resolve("lr.npz"));
    CommandRun failed = CommandRun.of("quantize", model, "--calibration", data, "--out", out);
    assertTrue(
        failed.status() == 1
            && failed.err().contains("'stack'")
            && failed.err().lines().count() == 1,
        failed.err());
  }

  private void assertSays(Model network, INDArray x, List<String> before, List<String> after)
      throws IOException {
    Path model = save(network);
    Path data = new Npz().floats("x", x).write(folder.resolve("x.npz"));
    Path out = folder.resolve("out.dq.zip");
    CommandRun.succeed("quantize", model, "--calibration", data, "--out", out);
    assertLines(before, CommandRun.succeed("inspect", model));
    assertLines(after, CommandRun.succeed("inspect", out));
  }

  private static void assertLines(List<String> patterns, CommandRun run) {
    for (String pattern : patterns) {
      assertTrue(
          run.outLines().stream().anyMatch(line -> line.matches(pattern)),
          () -> pattern + " in\n" + run.out());
    }
  }

  private Path save(Model network) throws IOException {
    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, file.toFile(), false);
    return file;
  }
}
