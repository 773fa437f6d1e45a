package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.export.PackedArchive;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.preprocessor.ImagePreProcessingScaler;
import org.nd4j.linalg.dataset.api.preprocessor.MultiNormalizerStandardize;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;

/** What is stored with a network to normalize its data is applied to the data of every command. */
final class StoredNormalizerTest {
  private static final int EXAMPLES = 120;

  @TempDir Path folder;

  @Test
  void aNormalizerIsAppliedToCalibrationValidationAndEvaluation() throws IOException {
    MultiLayerNetwork network = classifier(4);
    INDArray raw = Nd4j.randn(EXAMPLES, 4).muliRowVector(row(1, 10, 100, 1000)).addi(300);
    NormalizerStandardize normalizer = new NormalizerStandardize();
    normalizer.fit(new DataSet(raw, Nd4j.zeros(EXAMPLES, 1)));
    INDArray normal = raw.dup();
    normalizer.transform(normal);
    INDArray classes = network.output(normal).argMax(1).castTo(DataType.FLOAT);
    Path model = save(network, normalizer);
    Path data = new Npz().floats("x", raw).floats("y", classes).write(folder.resolve("raw.npz"));
    Path done =
        new Npz().floats("x", normal).floats("y", classes).write(folder.resolve("normal.npz"));

    CommandRun applied = CommandRun.succeed("evaluate", model, "--data", data);
    assertEquals(1.0, applied.json().get("accuracy").doubleValue());
    assertEquals(
        "the NormalizerStandardize in MODEL is applied to the data; if they are normalized already,"
            + " use --no-normalizer",
        applied.err().strip());
    CommandRun without = CommandRun.succeed("evaluate", model, "--data", done, "--no-normalizer");
    assertEquals(1.0, without.json().get("accuracy").doubleValue());
    assertEquals("", without.err());
    CommandRun twice = CommandRun.succeed("evaluate", model, "--data", done);
    assertTrue(twice.json().get("accuracy").doubleValue() < 0.9, twice.out());

    Path out = folder.resolve("out.dq.zip");
    CommandRun quantized =
        CommandRun.succeed(
            "quantize",
            model,
            "--calibration",
            data,
            "--validation",
            data,
            "--low-bits",
            4,
            "--out",
            out);
    assertEquals(1, quantized.err().lines().filter(line -> line.contains("Normalizer")).count());
    assertTrue(
        quantized.json().get("search").get("baselineAccuracy").doubleValue() > 0.95,
        quantized.out());
    assertEquals(normalizer, PackedArchive.read(out).attachments().normalizer().orElseThrow());
    JsonNode integers =
        CommandRun.succeed("evaluate", out, "--engine", "integer", "--data", data).json();
    assertTrue(integers.get("accuracy").doubleValue() > 0.95, integers::toString);
    CommandRun.succeed("benchmark", out, "--data", data, "--seconds", "0.01", "--batch", 1);
  }

  @Test
  void pixelsOfIdxFilesAreScaledOnce() throws IOException {
    MultiLayerNetwork network = classifier(4);
    byte[] pixels = new byte[EXAMPLES * 4];
    byte[] labels = new byte[EXAMPLES];
    INDArray scaled = Nd4j.rand(EXAMPLES, 4);
    for (int i = 0; i < pixels.length; i++) {
      int pixel = (int) (scaled.getDouble(i) * 255);
      pixels[i] = (byte) pixel;
      scaled.putScalar(i, pixel / 255.0);
    }
    int[] classes = network.output(scaled).argMax(1).toIntVector();
    for (int i = 0; i < EXAMPLES; i++) {
      labels[i] = (byte) classes[i];
    }
    String idx = idx("images", pixels, EXAMPLES, 2, 2) + "," + idx("labels", labels, EXAMPLES);
    Path model = save(network, new ImagePreProcessingScaler(0, 1));

    CommandRun applied = CommandRun.succeed("evaluate", model, "--data", idx);
    assertEquals(1.0, applied.json().get("accuracy").doubleValue());
    CommandRun without = CommandRun.succeed("evaluate", model, "--data", idx, "--no-normalizer");
    assertEquals(1.0, without.json().get("accuracy").doubleValue());
  }

  @Test
  void aNormalizerOfSeveralInputsTravelsToo() throws IOException {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs("left", "right")
                .addVertex("both", new MergeVertex(), "left", "right")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nIn(5).nOut(3).activation(Activation.SOFTMAX).build(),
                    "both")
                .setOutputs("out")
                .build());
    graph.init();
    INDArray left = Nd4j.randn(EXAMPLES, 3).muli(50).addi(9);
    INDArray right = Nd4j.randn(EXAMPLES, 2).muli(0.01).subi(4);
    MultiNormalizerStandardize normalizer = new MultiNormalizerStandardize();
    normalizer.fit(
        new MultiDataSet(new INDArray[] {left, right}, new INDArray[] {Nd4j.zeros(EXAMPLES, 1)}));
    MultiDataSet normal =
        new MultiDataSet(new INDArray[] {left.dup(), right.dup()}, new INDArray[0]);
    normalizer.preProcess(normal);
    INDArray classes = graph.outputSingle(normal.getFeatures()).argMax(1).castTo(DataType.FLOAT);
    Path model = save(graph, normalizer);
    Path data =
        new Npz()
            .floats("left", left)
            .floats("right", right)
            .floats("y", classes)
            .write(folder.resolve("raw.npz"));
    Path out = folder.resolve("out.dq.zip");

    CommandRun.succeed("quantize", model, "--calibration", data, "--out", out);
    assertEquals(normalizer, PackedArchive.read(out).attachments().normalizer().orElseThrow());
    for (Path each : new Path[] {model, out}) {
      JsonNode found = CommandRun.succeed("evaluate", each, "--data", data).json();
      assertTrue(found.get("accuracy").doubleValue() > 0.95, found::toString);
    }
  }

  @Test
  void aNormalizerOfOtherDataIsNamed() throws IOException {
    NormalizerStandardize normalizer = new NormalizerStandardize();
    normalizer.fit(new DataSet(Nd4j.rand(20, 7), Nd4j.zeros(20, 1)));
    Path model = save(classifier(4), normalizer);
    Path data =
        new Npz().floats("x", Nd4j.rand(2, 4)).int64("y", 0, 1).write(folder.resolve("x.npz"));

    CommandRun run = CommandRun.of("evaluate", model, "--data", data);
    assertEquals(1, run.status());
    assertTrue(
        run.err()
            .contains(
                model
                    + ": its NormalizerStandardize cannot take features of shape [2, 4]; with"
                    + " --no-normalizer it is not applied: "),
        run.err());
  }

  private Path save(Model network, Normalizer<?> normalizer) throws IOException {
    Path model = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, model.toFile(), false);
    ModelSerializer.addNormalizerToModel(model.toFile(), normalizer);
    return model;
  }

  private Path idx(String name, byte[] values, int... shape) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * shape.length + values.length);
    bytes.putInt(0x800 + shape.length);
    for (int size : shape) {
      bytes.putInt(size);
    }
    return Files.write(folder.resolve(name), bytes.put(values).array());
  }

  private static INDArray row(double... values) {
    return Nd4j.createFromArray(values).castTo(DataType.FLOAT);
  }

  private static MultiLayerNetwork classifier(int inputs) {
    Nd4j.getRandom().setSeed(5);
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(
                    new DenseLayer.Builder()
                        .nIn(inputs)
                        .nOut(8)
                        .activation(Activation.TANH)
                        .build())
                .layer(
                    new OutputLayer.Builder().nIn(8).nOut(3).activation(Activation.SOFTMAX).build())
                .build());
    network.init();
    return network;
  }
}
