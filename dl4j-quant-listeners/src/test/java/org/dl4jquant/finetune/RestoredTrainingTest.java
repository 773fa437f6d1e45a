package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

final class RestoredTrainingTest {
  @TempDir Path folder;

  @Test
  void aNewJvmGoesOnWithTheSameNumbers() throws Exception {
    DataSetIterator data =
        FineTuningNetworks.batches(FineTuningNetworks.images(96, 4), DataType.FLOAT);
    for (boolean graph : new boolean[] {false, true}) {
      Model network =
          graph
              ? FineTuningNetworks.graph(DataType.FLOAT)
              : FineTuningNetworks.layers(DataType.FLOAT);
      FineTuningNetworks.fit(network, data, 1);
      PrecisionPlan plan = PrecisionPlan.uniform(LayerPrecision.of(3, 5));
      FineTuningRun run =
          MixedPrecisionFineTuning.of(network, plan, data)
              .withCodebooks(WeightedEntropyCodebooks.DEFAULT, layer -> layer.startsWith("s"))
              .fit(data, 2);
      Path file = folder.resolve("network.zip");
      ModelSerializer.writeModel(run.network(), file.toFile(), true);
      assertEquals(
          configuration(run.network()), configuration(RestoredTraining.restored(file, graph)));

      String before = run.network().params().toString();
      String here = RestoredTraining.after(run.network());
      assertEquals(here, there(file, graph));
      assertNotEquals(before, run.network().params().toString());
      run.model(RestoredTraining.restored(file, graph)); // has all that the model needs
    }
  }

  @Test
  void stepsGoOnToLearnInANewJvm() throws Exception {
    DataSetIterator data =
        FineTuningNetworks.batches(FineTuningNetworks.images(96, 4), DataType.FLOAT);
    for (boolean graph : new boolean[] {false, true}) {
      Model network =
          graph
              ? FineTuningNetworks.graph(DataType.FLOAT)
              : FineTuningNetworks.layers(DataType.FLOAT);
      FineTuningNetworks.fit(network, data, 1);
      Path start = folder.resolve("start.zip");
      ModelSerializer.writeModel(network, start.toFile(), true);
      FineTuningRun run = RestoredTraining.learning(network).start().fit(data, 2);
      Path file = folder.resolve("network.zip");
      Path state = folder.resolve("state");
      ModelSerializer.writeModel(run.network(), file.toFile(), true);
      run.saveState(state);
      QuantizedModel model = run.model();

      FineTuningRun other = RestoredTraining.learning(network).start();
      other.restoreState(state, RestoredTraining.restored(file, graph));
      assertEquals(run.learnedSteps(), other.learnedSteps());
      assertEquals(model, other.model());
      assertEquals(RestoredTraining.after(run), there(file, graph, state, start));
    }
  }

  @Test
  void afterSnappingNothingIsLearned() throws Exception {
    DataSetIterator data =
        FineTuningNetworks.batches(FineTuningNetworks.images(96, 4), DataType.FLOAT);
    Model network = FineTuningNetworks.graph(DataType.FLOAT);
    FineTuningNetworks.fit(network, data, 1);
    MixedPrecisionFineTuning tuning = RestoredTraining.learning(network);
    FineTuningRun run = tuning.fit(data, 2);
    Path file = folder.resolve("network.zip");
    Path state = folder.resolve("state");
    ModelSerializer.writeModel(run.network(), file.toFile(), true);
    run.saveState(state);
    FineTuningRun other = tuning.start();
    Model saved = RestoredTraining.restored(file, true);
    other.restoreState(state, saved);
    assertEquals(ImmutableMap.of(), other.learnedSteps());
    assertEquals(run.model(), other.model());
    assertEquals(RestoredTraining.after(run.network()), RestoredTraining.after(other.network()));

    Model another = FineTuningNetworks.layers(DataType.FLOAT);
    FineTuningRun ofAnother = RestoredTraining.learning(another).start();
    String message =
        assertThrows(IllegalArgumentException.class, () -> ofAnother.restoreState(state, another))
            .getMessage();
    assertTrue(message.startsWith(state + " must be of a network with the parameters "), message);

    byte[] bytes = Files.readAllBytes(state);
    bytes[bytes.length / 2] ^= 1;
    Files.write(state, bytes);
    assertEquals(
        state + " must match its SHA-256, found damage",
        assertThrows(IllegalArgumentException.class, () -> other.restoreState(state, saved))
            .getMessage());
  }

  private static Object configuration(Model network) {
    return network instanceof ComputationGraph graph
        ? graph.getConfiguration()
        : ((MultiLayerNetwork) network).getLayerWiseConfigurations();
  }

  private static String there(Path file, boolean graph, Path... more)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx512m");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(RestoredTraining.class.getName());
    command.add(file.toString());
    command.add(String.valueOf(graph));
    for (Path path : more) {
      command.add(path.toString());
    }
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    return output.lines().reduce("", (first, last) -> last);
  }
}
