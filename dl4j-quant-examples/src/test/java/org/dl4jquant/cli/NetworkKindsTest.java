package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks of many kinds, saved by plain DL4J, with labels that DL4J's own output gives. */
final class NetworkKindsTest {
  private static final int EXAMPLES = 65; // one more than a batch

  @TempDir Path folder;

  @Test
  void aSingleSigmoidTellsTwoClassesApart() throws IOException {
    MultiLayerNetwork network =
        network(
            base()
                .list()
                .layer(new DenseLayer.Builder().nIn(3).nOut(6).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.XENT)
                        .nIn(6)
                        .nOut(1)
                        .activation(Activation.SIGMOID)
                        .build()));
    INDArray x = Nd4j.randn(EXAMPLES, 3);
    INDArray classes = network.output(x).gt(0.5).castTo(DataType.FLOAT);

    assertAgrees(network, new Npz().floats("x", x).floats("y", classes.reshape(EXAMPLES)));
    assertAgrees(network, new Npz().floats("x", x).floats("y", classes.reshape(EXAMPLES, 1)));
    Path model = save(network);
    Path data =
        new Npz().floats("x", Nd4j.randn(2, 3)).int64("y", 0, 2).write(folder.resolve("two.npz"));
    CommandRun.fail(
        1,
        data + ": label of example 1 must be a class from 0 to 1, found 2",
        "evaluate",
        model,
        "--data",
        data);
  }

  @Test
  void aRegressionIsNoClassifier() throws IOException {
    MultiLayerNetwork network =
        network(
            base()
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build()));
    Path model = save(network);
    Path data =
        new Npz().floats("x", Nd4j.rand(2, 3)).int64("y", 0, 1).write(folder.resolve("r.npz"));

    CommandRun.fail(
        1,
        model + ": is no classifier: it has one output, which is not a sigmoid",
        "evaluate",
        model,
        "--data",
        data);
  }

  @Test
  void sequencesAreLabeledAtEachStep() throws IOException {
    for (RNNFormat format : RNNFormat.values()) {
      boolean timeLast = format == RNNFormat.NCW;
      MultiLayerNetwork network =
          network(
              base()
                  .list()
                  .layer(new LSTM.Builder().nOut(5).dataFormat(format).build())
                  .layer(
                      new RnnOutputLayer.Builder(LossFunction.MCXENT)
                          .nOut(3)
                          .dataFormat(format)
                          .activation(Activation.SOFTMAX)
                          .build())
                  .setInputType(InputType.recurrent(4, 6, format)));
      INDArray x = timeLast ? Nd4j.randn(EXAMPLES, 4, 6) : Nd4j.randn(EXAMPLES, 6, 4);
      INDArray output = network.output(x);
      INDArray classes = output.argMax(timeLast ? 1 : 2).castTo(DataType.FLOAT);

      assertAgrees(network, new Npz().floats("x", x).floats("y", classes));
      INDArray padded = oneHot(output, timeLast ? 1 : 2);
      padded.slice(0).assign(0); // a sequence that does not count
      assertAgrees(network, new Npz().floats("x", x).floats("y", padded));
    }
  }

  @Test
  void pixelsAreLabeledInEitherLayout() throws IOException {
    for (CNN2DFormat format : CNN2DFormat.values()) {
      boolean channelsLast = format == CNN2DFormat.NHWC;
      MultiLayerNetwork network =
          network(
              base()
                  .list()
                  .layer(
                      new ConvolutionLayer.Builder(3, 3)
                          .nOut(3)
                          .dataFormat(format)
                          .convolutionMode(ConvolutionMode.Same)
                          .activation(Activation.IDENTITY)
                          .build())
                  .layer(
                      new CnnLossLayer.Builder(LossFunction.MCXENT)
                          .format(format)
                          .activation(Activation.SOFTMAX)
                          .build())
                  .setInputType(InputType.convolutional(4, 5, 2, format)));
      INDArray x = channelsLast ? Nd4j.randn(7, 4, 5, 2) : Nd4j.randn(7, 2, 4, 5);
      INDArray classes = network.output(x).argMax(channelsLast ? 3 : 1);

      assertAgrees(network, new Npz().floats("x", x).floats("y", classes.castTo(DataType.FLOAT)));
    }
  }

  @Test
  void aGraphTakesAnArrayForEachInput() throws IOException {
    ComputationGraph graph =
        new ComputationGraph(
            base()
                .graphBuilder()
                .addInputs("left", "right")
                .addLayer("a", new DenseLayer.Builder().nIn(3).nOut(4).build(), "left")
                .addLayer("b", new DenseLayer.Builder().nIn(2).nOut(4).build(), "right")
                .addVertex("both", new MergeVertex(), "a", "b")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nIn(8).nOut(3).activation(Activation.SOFTMAX).build(),
                    "both")
                .setOutputs("out")
                .build());
    graph.init();
    INDArray left = Nd4j.randn(EXAMPLES, 3);
    INDArray right = Nd4j.randn(EXAMPLES, 2);
    INDArray classes = graph.outputSingle(left, right).argMax(1).castTo(DataType.FLOAT);

    assertAgrees(graph, new Npz().floats("right", right).floats("left", left).floats("y", classes));
    assertAgrees(
        graph, new Npz().floats("x:right", right).floats("x:left", left).floats("y:out", classes));
    Path data = new Npz().floats("x", left).floats("y", classes).write(folder.resolve("x.npz"));
    CommandRun.fail(
        1,
        data
            + ": must have an array for each of the inputs [left, right], by its name or x:NAME,"
            + " found [x, y]",
        "evaluate",
        save(graph),
        "--data",
        data);
  }

  @Test
  void theSoftmaxMayBeALayerOfItsOwnAndTheNetworkOfDoubles() throws IOException {
    MultiLayerNetwork network =
        network(
            base()
                .dataType(DataType.DOUBLE)
                .list()
                .layer(new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.RELU).build())
                .layer(
                    new DenseLayer.Builder().nIn(4).nOut(3).activation(Activation.IDENTITY).build())
                .layer(new ActivationLayer(Activation.SOFTMAX)));
    INDArray x = Nd4j.randn(DataType.FLOAT, EXAMPLES, 3);
    INDArray classes = network.output(x).argMax(1).castTo(DataType.FLOAT);

    assertAgrees(network, new Npz().floats("x", x).floats("y", classes));
    INDArray logits = LogitsNetwork.of(network, 0).output(x);
    INDArray softmax = network.output(x);
    assertTrue(
        Nd4j.nn().softmax(logits, 1).castTo(DataType.DOUBLE).equalsWithEps(softmax, 1e-6),
        "softmax of the logits is the output");
  }

  @Test
  void theSoftmaxMayBeThatOfALossAndFollowASequence() throws IOException {
    ComputationGraph graph =
        new ComputationGraph(
            base()
                .graphBuilder()
                .addInputs("in")
                .addLayer("last", new LastTimeStep(new LSTM.Builder().nIn(3).nOut(6).build()), "in")
                .addLayer(
                    "logits",
                    new DenseLayer.Builder().nIn(6).nOut(4).activation(Activation.IDENTITY).build(),
                    "last")
                .addLayer(
                    "loss",
                    new LossLayer.Builder(LossFunction.MCXENT)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "logits")
                .setOutputs("loss")
                .build());
    graph.init();
    INDArray x = Nd4j.randn(EXAMPLES, 3, 7);
    INDArray classes = graph.outputSingle(x).argMax(1).castTo(DataType.FLOAT);

    assertAgrees(graph, new Npz().floats("x", x).floats("y", classes));
    assertEquals(LogitsNetwork.Last.SOFTMAX, LogitsNetwork.of(graph, 0).last());
  }

  @Test
  void flatRowsFeedAConvolutionAndIndicesAnEmbedding() throws IOException {
    MultiLayerNetwork images =
        network(
            base()
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(4).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.convolutionalFlat(5, 5, 1)));
    INDArray rows = Nd4j.randn(EXAMPLES, 25);
    INDArray found = images.output(rows).argMax(1).castTo(DataType.FLOAT);
    assertAgrees(images, new Npz().floats("x", rows).floats("y", found));
    assertAgrees(images, new Npz().floats("x", rows.reshape(EXAMPLES, 5, 5)).floats("y", found));

    MultiLayerNetwork words =
        network(
            base()
                .list()
                .layer(new EmbeddingLayer.Builder().nIn(9).nOut(4).build())
                .layer(
                    new OutputLayer.Builder()
                        .nIn(4)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build()));
    INDArray indices = Nd4j.createFromArray(0f, 3f, 8f);
    INDArray classes = words.output(indices.reshape(3, 1)).argMax(1).castTo(DataType.FLOAT);
    assertAgrees(words, new Npz().floats("x", indices).floats("y", classes));
  }

  /** The labels are what the network itself gives, so it is always right. */
  private void assertAgrees(Model network, Npz arrays) throws IOException {
    Path model = save(network);
    Path data = arrays.write(folder.resolve("data.npz"));
    Path out = folder.resolve("quantized.dq.zip");
    CommandRun.succeed("inspect", model);
    JsonNode exact =
        CommandRun.succeed("evaluate", model, "--data", data, "--reference", model).json();
    assertEquals(1.0, exact.get("accuracy").doubleValue(), exact::toString);
    assertEquals(1.0, exact.get("agreement").doubleValue(), exact::toString);
    assertTrue(exact.get("logitSqnrDb").isNull(), exact::toString);
    CommandRun.succeed("quantize", model, "--bits", 12, "--out", out);
    JsonNode result =
        CommandRun.succeed("evaluate", out, "--data", data, "--reference", model).json();
    assertTrue(result.get("logitSqnrDb").doubleValue() > 45, result::toString);
    assertComputesInIntegers(model, data);
  }

  /** The integers are close to the floats, and so is what DL4J makes of the same archive. */
  private void assertComputesInIntegers(Path model, Path data) throws IOException {
    Path out = folder.resolve("integers.dq.zip");
    JsonNode made =
        CommandRun.succeed(
                "quantize",
                model,
                "--calibration",
                data,
                "--bits",
                12,
                "--activation-bits",
                12,
                "--strategy",
                "max-abs",
                "--out",
                out)
            .json();
    assertEquals("integers", made.get("computesIn").textValue());
    CommandRun.succeed("inspect", out);
    JsonNode integer =
        CommandRun.succeed(
                "evaluate", out, "--data", data, "--engine", "integer", "--reference", model)
            .json();
    assertEquals("integer", integer.get("engine").textValue());
    assertTrue(integer.get("accuracy").doubleValue() > 0.97, integer::toString);
    double decibels = integer.get("logitSqnrDb").doubleValue();
    assertTrue(decibels > 45, integer::toString);
    JsonNode faked =
        CommandRun.succeed("evaluate", out, "--data", data, "--reference", model).json();
    assertEquals(decibels, faked.get("logitSqnrDb").doubleValue(), 0.5, faked::toString);
  }

  private Path save(Model network) throws IOException {
    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, file.toFile(), false);
    return file;
  }

  private static INDArray oneHot(INDArray output, int classAxis) {
    return output.eq(output.max(true, classAxis).broadcast(output.shape())).castTo(DataType.FLOAT);
  }

  private static NeuralNetConfiguration.Builder base() {
    Nd4j.getRandom().setSeed(5);
    return new NeuralNetConfiguration.Builder().seed(3);
  }

  private static MultiLayerNetwork network(ListBuilder layers) {
    MultiLayerNetwork network = new MultiLayerNetwork(layers.build());
    network.init();
    return network;
  }
}
