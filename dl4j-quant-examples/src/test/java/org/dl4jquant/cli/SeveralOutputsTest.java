package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks of several inputs and outputs: one output is chosen, and every engine computes it. */
final class SeveralOutputsTest {
  private static final int EXAMPLES = 80;
  private static final Map<String, Integer> OUTPUTS = Map.of("kind", 3, "sign", 1, "steps", 4);

  @TempDir static Path folder;

  private static Path model;
  private static Path data;

  @BeforeAll
  static void save() throws IOException {
    Nd4j.getRandom().setSeed(6);
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(8)
                .graphBuilder()
                .addInputs("row", "sequence")
                .addLayer("dense", dense(5, 6), "row")
                .addLayer("lstm", new LSTM.Builder().nIn(2).nOut(4).build(), "sequence")
                .addLayer(
                    "steps",
                    new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(4)
                        .nOut(4)
                        .activation(Activation.SOFTMAX)
                        .build(),
                    "lstm")
                .addLayer(
                    "last", new LastTimeStep(new LSTM.Builder().nIn(2).nOut(4).build()), "sequence")
                .addVertex("both", new MergeVertex(), "dense", "last")
                .addLayer("shared", dense(10, 8), "both")
                .addLayer(
                    "kind",
                    new OutputLayer.Builder().nIn(8).nOut(3).activation(Activation.SOFTMAX).build(),
                    "shared")
                .addLayer("hidden", dense(3, 6), "kind")
                .addLayer("logit", dense(6, 1, Activation.IDENTITY), "hidden")
                .addLayer("sign", new ActivationLayer(Activation.SIGMOID), "logit")
                .setOutputs("kind", "sign", "steps")
                .build());
    graph.init();
    INDArray row = Nd4j.randn(EXAMPLES, 5);
    INDArray sequence = Nd4j.randn(EXAMPLES, 2, 6);
    INDArray[] outputs = graph.output(row, sequence);
    INDArray signs = outputs[1].gt(outputs[1].medianNumber()).castTo(DataType.FLOAT);
    // the median is the threshold in the labels only; the network's is one half
    model = folder.resolve("graph.zip");
    ModelSerializer.writeModel(graph, model.toFile(), false);
    data =
        new Npz()
            .floats("x:sequence", sequence)
            .floats("row", row)
            .floats("y:kind", outputs[0].argMax(1).castTo(DataType.FLOAT))
            .floats("y:sign", signs)
            .floats("y:steps", outputs[2].argMax(1).castTo(DataType.FLOAT))
            .write(folder.resolve("data.npz"));
  }

  private static DenseLayer dense(int in, int out) {
    return dense(in, out, Activation.RELU);
  }

  private static DenseLayer dense(int in, int out, Activation activation) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(activation).build();
  }

  @Test
  void theOutputMustBeChosenByItsName() {
    CommandRun.fail(
        1,
        model + ": has the outputs [kind, sign, steps]; choose one with --output NAME",
        "evaluate",
        model,
        "--data",
        data);
    CommandRun.fail(
        1,
        model
            + ": --output must be one of the outputs [kind, sign, steps], found 'step'; near: steps",
        "evaluate",
        model,
        "--data",
        data,
        "--output",
        "step");
    CommandRun.fail(
        1,
        model + ": has the outputs [kind, sign, steps]; choose one with --validation-output NAME",
        "quantize",
        model,
        "--low-bits",
        "4",
        "--validation",
        data,
        "--out",
        folder.resolve("never.dq.zip"));
  }

  @Test
  void everyEngineComputesEveryOutput() throws IOException {
    Path archive = folder.resolve("graph.dq.zip");
    CommandRun.succeed(
        "quantize",
        model,
        "--calibration",
        data,
        "--bits",
        14,
        "--activation-bits",
        14,
        "--strategy",
        "max-abs",
        "--out",
        archive);
    for (String output : OUTPUTS.keySet()) {
      for (String engine : new String[] {"dl4j", "integer", "onnx"}) {
        JsonNode found =
            CommandRun.succeed(
                    "evaluate",
                    archive,
                    "--data",
                    data,
                    "--output",
                    output,
                    "--engine",
                    engine,
                    "--reference",
                    model)
                .json();
        String what = output + " by " + engine + ": " + found;
        assertTrue(found.get("logitSqnrDb").doubleValue() > 40, what);
        assertTrue(found.get("agreement").doubleValue() > 0.97, what);
        if (!output.equals("sign")) {
          assertTrue(found.get("accuracy").doubleValue() > 0.97, what);
        }
      }
    }
  }

  @Test
  void theSearchMeasuresTheChosenOutput() throws IOException {
    JsonNode found =
        CommandRun.succeed(
                "quantize",
                model,
                "--validation",
                data,
                "--validation-output",
                "steps",
                "--low-bits",
                4,
                "--out",
                folder.resolve("searched.dq.zip"))
            .json();
    assertEquals(1.0, found.get("search").get("baselineAccuracy").doubleValue(), 0.03);
  }
}
