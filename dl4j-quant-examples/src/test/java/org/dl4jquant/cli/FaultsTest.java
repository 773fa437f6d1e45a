package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Every fault gives one line that names it, and the right status. */
final class FaultsTest {
  @TempDir static Path folder;

  private static Path model;
  private static Path data;

  @BeforeAll
  static void save() throws IOException {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new DenseLayer.Builder().nIn(4).nOut(5).activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder().nIn(5).nOut(3).activation(Activation.SOFTMAX).build())
                .build());
    network.init();
    model = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, model.toFile(), false);
    data =
        new Npz()
            .floats("x", Nd4j.rand(3, 4))
            .int64("y", 0, 1, 2)
            .write(folder.resolve("good.npz"));
  }

  @Test
  void wrongCallsExitWith2() {
    Path out = folder.resolve("o.dq.zip");
    CommandRun.fail(
        2,
        "a command is needed: inspect, quantize, evaluate, export, verify or benchmark; try --help");
    usage("Unmatched argument at index 0: 'convert'", "convert");
    usage("Missing required parameter: 'MODEL'", "inspect");
    usage("Missing required option: '--data=FILE'", "evaluate", model);
    usage("Missing required option: '--out=OUT.dq.zip'", "quantize", model);
    usage("Unknown option: '--color'", "inspect", model, "--color");
    usage("--bits must be between 2 and 16, found 1", "quantize", model, "--bits", 1, "--out", out);
    usage(
        "--low-bits must be between 2 and 7, below --bits, found 8",
        "quantize",
        model,
        "--low-bits",
        8,
        "--validation",
        data,
        "--out",
        out);
    usage(
        "--low-bits needs a --validation file to measure accuracy on, or --average-bits to do without",
        "quantize",
        model,
        "--low-bits",
        4,
        "--out",
        out);
    usage(
        "--max-drop must be between 0 and 1, found -0.1",
        "quantize",
        model,
        "--max-drop",
        -0.1,
        "--validation",
        data,
        "--out",
        out);
    usage(
        "--config states the bits of every layer, so --bits, --activation-bits, --low-bits and"
            + " pins must not be given",
        "quantize",
        model,
        "--bits",
        4,
        "--config",
        "p.json",
        "--out",
        out);
    usage(model + " would overwrite MODEL", "quantize", model, "--out", model);
    usage(folder + " is a folder; name the file to write", "quantize", model, "--out", folder);
    usage(
        "--out and --plain must name different files",
        "quantize",
        model,
        "--out",
        out,
        "--plain",
        out);
    usage(
        "--report must name a folder, found the file " + data,
        "quantize",
        model,
        "--out",
        out,
        "--report",
        data);
  }

  @Test
  void whatIsNoNetworkIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(model);
    Path text = Files.writeString(folder.resolve("text.zip"), "hello");
    Path empty = Files.write(folder.resolve("empty.zip"), new byte[0]);
    Path cut = Files.write(folder.resolve("cut.zip"), Arrays.copyOf(whole, whole.length / 2));
    Path missing = folder.resolve("missing.zip");
    failed(missing + ": does not exist", "inspect", missing);
    failed(folder + ": is not a file", "inspect", folder);
    String neither = ": is neither a zip file nor a Keras .h5 file, so not a saved network";
    failed(text + neither, "inspect", text);
    failed(empty + neither, "inspect", empty);
    failed(
        cut + ": is a damaged zip file, so not a saved network: zip END header not found",
        "inspect",
        cut);
    failed(
        data + ": is not a network saved by Deeplearning4j: lacks the entry configuration.json",
        "inspect",
        data);
  }

  @Test
  void featuresMustFitTheNetwork() throws IOException {
    evaluate(
        ": features must have shape [examples, 4] for this network, found [2, 5]",
        new Npz().floats("x", Nd4j.rand(2, 5)).int64("y", 0, 1));
    evaluate(
        ": array x must be finite, found NaN in example 1",
        new Npz().floats("x", Nd4j.rand(2, 4).putScalar(5, Float.NaN)).int64("y", 0, 1));
    evaluate(": must have an array x, found [y]", new Npz().int64("y", 0, 1));
    evaluate(": must have an array x, found []", new Npz());
    evaluate(
        ": array x must have 1 or more examples along axis 0, found shape [0, 4]",
        new Npz().raw("x", "<f4", false, new long[] {0, 4}, new byte[0]));
    evaluate(
        ", array x: must hold 32 bytes of data, found 8",
        new Npz().raw("x", "<f4", false, new long[] {2, 4}, new byte[8]));
    evaluate(
        ": array y must have 2 examples, as many as the others, along axis 0, found shape [3]",
        new Npz().floats("x", Nd4j.rand(2, 4)).int64("y", 0, 1, 2));
  }

  @Test
  void labelsMustFitTheNetwork() throws IOException {
    evaluate(
        ": label of example 1 must be a class from 0 to 2, found 3",
        new Npz().floats("x", Nd4j.rand(2, 4)).int64("y", 0, 3));
    evaluate(
        ": label of example 0 must be a class from 0 to 2, found -1",
        new Npz().floats("x", Nd4j.rand(2, 4)).int64("y", -1, 0));
    evaluate(
        ": label of example 1 must be a class from 0 to 2, found 0.5",
        new Npz().floats("x", Nd4j.rand(2, 4)).floats("y", Nd4j.createFromArray(1f, 0.5f)));
    evaluate(
        ": label of example 0 must be a class from 0 to 2, found NaN",
        new Npz().floats("x", Nd4j.rand(2, 4)).floats("y", Nd4j.createFromArray(Float.NaN, 0)));
    evaluate(
        ": labels must be class indices of shape [2] or one-hot of shape [2, 3] for this network,"
            + " found [2, 4]",
        new Npz().floats("x", Nd4j.rand(2, 4)).floats("y", Nd4j.zeros(2, 4)));
    evaluate(
        ": label of example 0 must be one-hot, found [0.0, 0.0, 0.0]",
        new Npz().floats("x", Nd4j.rand(2, 4)).floats("y", Nd4j.zeros(2, 3)));
    evaluate(": must have labels (array y), found none", new Npz().floats("x", Nd4j.rand(2, 4)));
  }

  @Test
  void otherDataFilesFailByNameToo() throws IOException {
    Path missing = folder.resolve("no.npz");
    failed(missing + ": does not exist or cannot be read", "evaluate", model, "--data", missing);
    failed(
        folder + ": must be a .npz file, a .csv file or two IDX files separated by a comma",
        "evaluate",
        model,
        "--data",
        folder);
    Path text = Files.writeString(folder.resolve("t.npz"), "hello");
    failed(text + ": is not a readable .npz file", "evaluate", model, "--data", text);
    Path csv = Files.writeString(folder.resolve("a.csv"), "a, b ,c,d,label\n1,2,3,,0\n");
    failed(csv + ": row 1 must hold finite numbers, found ''", "evaluate", model, "--data", csv);
    failed(
        csv + ": label column must be one of [a, b, c, d, label], found kind",
        "evaluate",
        model,
        "--data",
        csv,
        "--label-column",
        "kind");
    Path idx = Files.write(folder.resolve("x.idx"), new byte[] {0, 0, 8});
    failed(idx + ": is damaged or cut off", "evaluate", model, "--data", idx + "," + idx);
    failed(
        folder.resolve("gone") + ": does not exist",
        "evaluate",
        model,
        "--data",
        folder.resolve("gone") + "," + idx);
  }

  @Test
  void plansAndStatisticsFailByName() throws IOException {
    Path out = folder.resolve("p.dq.zip");
    Path text = Files.writeString(folder.resolve("t.json"), "hello");
    Path unknown =
        Files.writeString(
            folder.resolve("u.json"),
            """
            {"version":1,"default":{"weightBits":8,"activationBits":32,"biasBits":16},
            "layers":{"nine":{"weightBits":8,"activationBits":32,"biasBits":16}}}""");
    CommandRun broken = CommandRun.of("quantize", model, "--config", text, "--out", out);
    assertEquals(1, broken.status());
    assertTrue(broken.err().startsWith("dl4j-quant: " + text + ": is not JSON: "), broken.err());
    failed(
        "plan must name layers or vertices of the network, found 'nine', none of [layer0, layer1,"
            + " input]",
        "quantize",
        model,
        "--config",
        unknown,
        "--out",
        out);
    CommandRun statistics =
        CommandRun.of("quantize", model, "--statistics", text, "--average-bits", 5, "--out", out);
    assertEquals(1, statistics.status());
    assertTrue(statistics.err().startsWith("dl4j-quant: " + text + ": "), statistics.err());
    assertTrue(Files.notExists(out));
  }

  @Test
  void aCheckpointIsNotTakenForStatistics() throws IOException {
    MultiLayerNetwork network = ModelSerializer.restoreMultiLayerNetwork(model.toFile());
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.addListeners(listener);
    network.fit(new DataSet(Nd4j.rand(3, 4), Nd4j.eye(3)));
    Path checkpoint = folder.resolve("differences.json");
    listener.save(checkpoint);
    failed(
        checkpoint + ": is a checkpoint of a listener; write snapshot().toJson() instead",
        "quantize",
        model,
        "--statistics",
        checkpoint,
        "--low-bits",
        4,
        "--validation",
        data,
        "--out",
        folder.resolve("checkpoint.dq.zip"));
  }

  @Test
  void aBrokenWeightIsNamedWithAndWithoutCalibration() throws IOException {
    MultiLayerNetwork network = ModelSerializer.restoreMultiLayerNetwork(model.toFile());
    network.getParam("1_W").putScalar(2, 1, Float.NaN);
    Path broken = folder.resolve("broken.zip");
    ModelSerializer.writeModel(network, broken.toFile(), false);
    Path out = folder.resolve("broken.dq.zip");
    String message =
        "parameter W of layer layer1 must hold only finite numbers, found 1 that are NaN or"
            + " infinite";
    failed(message, "quantize", broken, "--out", out);
    failed(message, "quantize", broken, "--calibration", data, "--out", out);
    assertTrue(Files.notExists(out));
  }

  @Test
  void verboseAddsTheStackTrace() {
    CommandRun run = CommandRun.of("inspect", folder.resolve("no.zip"), "--verbose");

    assertEquals(1, run.status());
    assertTrue(run.err().contains("\tat org.dl4jquant.cli.ModelFile."), run.err());
  }

  @Test
  void helpAndVersionAreResults() {
    assertTrue(CommandRun.succeed("--help").out().contains("quantize"));
    assertTrue(CommandRun.succeed("quantize", "--help").out().contains("--low-bits"));
    assertTrue(CommandRun.succeed("--version").out().startsWith("dl4j-quant "));
  }

  private static void usage(String message, Object... arguments) {
    CommandRun.fail(2, message + "; try --help", arguments);
  }

  private static void failed(String message, Object... arguments) {
    CommandRun.fail(1, message, arguments);
  }

  private static void evaluate(String message, Npz arrays) throws IOException {
    Path file = arrays.write(Files.createTempFile(folder, "data", ".npz"));
    failed(file + message, "evaluate", model, "--data", file);
  }
}
