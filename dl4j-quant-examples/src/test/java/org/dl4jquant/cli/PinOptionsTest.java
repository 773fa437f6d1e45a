package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.export.PackedArchive;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;

/** Layers and vertices get widths of their own on the command line. */
final class PinOptionsTest {
  @TempDir static Path folder;

  private static Path model;
  private static Path data;
  private static Path out;

  @BeforeAll
  static void save() throws IOException {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .graphBuilder()
                .addInputs("row")
                .addLayer("one", dense(), "row")
                .addLayer("two", dense(), "one")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "one", "two")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nIn(4).nOut(3).activation(Activation.SOFTMAX).build(),
                    "sum")
                .setOutputs("out")
                .build());
    graph.init();
    model = folder.resolve("graph.zip");
    out = folder.resolve("graph.dq.zip");
    ModelSerializer.writeModel(graph, model.toFile(), false);
    data = new Npz().floats("x", Nd4j.rand(40, 4)).write(folder.resolve("x.npz"));
  }

  private static DenseLayer dense() {
    return new DenseLayer.Builder().nIn(4).nOut(4).activation(Activation.RELU).build();
  }

  @Test
  void layersAndVerticesArePinned() {
    CommandRun.succeed(
        "quantize",
        model,
        "--calibration",
        data,
        "--out",
        out,
        "--pin",
        "type:DenseLayer=6",
        "--pin",
        "t?o=5",
        "--pin-activations",
        "sum=12",
        "--pin-activations",
        "row=9");
    QuantizedModel found = PackedArchive.read(out);
    assertEquals(6, found.plan().of("one").weightBits());
    assertEquals(5, found.plan().of("two").weightBits());
    assertEquals(8, found.plan().of("out").weightBits());
    assertEquals(12, found.activations().get("sum").bitWidth());
    assertEquals(9, found.activations().get("row").bitWidth());

    CommandRun kept =
        CommandRun.succeed(
            "quantize", model, "--calibration", data, "--out", out, "--keep-float", "out");
    assertTrue(kept.out().contains("out: float: the plan keeps this layer float"), kept.out());
    assertFalse(PackedArchive.read(out).layers().get(2).parameters().get(0).codes().isPresent());
  }

  @Test
  void aPlanFileMayHavePatterns() throws IOException {
    Path plan =
        Files.writeString(
            folder.resolve("plan.json"),
            """
            {"version":1,"default":{"weightBits":8,"activationBits":8,"biasBits":16},
            "layers":{"type:DenseLayer":{"weightBits":4,"activationBits":7,"biasBits":16},
            "sum":{"weightBits":8,"activationBits":11,"biasBits":16}}}""");
    CommandRun.succeed("quantize", model, "--calibration", data, "--config", plan, "--out", out);
    QuantizedModel found = PackedArchive.read(out);
    assertEquals(4, found.plan().of("two").weightBits());
    assertEquals(7, found.activations().get("one").bitWidth());
    assertEquals(11, found.activations().get("sum").bitWidth());
  }

  @Test
  void whatSelectsNothingOrIsNoPinIsNamed() {
    CommandRun.fail(
        1,
        "selector tow must select a layer with weights, found none of [one, two, out]; near: two",
        "quantize",
        model,
        "--out",
        out,
        "--pin",
        "tow=5");
    usage("--pin must be a name, pattern or type:KIND, = and bits, found 'two'", "--pin", "two");
    usage(
        "--pin two=1: weightBits must be between 2 and 16, or 32 for floats, found 1",
        "--pin",
        "two=1");
    usage(
        "--pin-activations needs a --calibration file to learn the range of values from",
        "--pin-activations",
        "two=8");
    usage(
        "--config states the bits of every layer, so --bits, --activation-bits, --low-bits and pins"
            + " must not be given",
        "--config",
        "plan.json",
        "--keep-float",
        "two");
  }

  private static void usage(String message, String... options) {
    Object[] call = new Object[4 + options.length];
    call[0] = "quantize";
    call[1] = model;
    call[2] = "--out";
    call[3] = out;
    System.arraycopy(options, 0, call, 4, options.length);
    CommandRun run = CommandRun.of(call);
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("dl4j-quant: " + message), run.err());
  }
}
