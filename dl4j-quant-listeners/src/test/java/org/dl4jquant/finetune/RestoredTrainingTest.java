package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
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
      assertEquals(configuration(run.network()), configuration(restored(file, graph)));

      String before = run.network().params().toString();
      String here = RestoredTraining.after(run.network());
      assertEquals(here, there(file, graph));
      assertNotEquals(before, run.network().params().toString());
      run.model(restored(file, graph)); // has all that the model needs
    }
  }

  private static Object configuration(Model network) {
    return network instanceof ComputationGraph graph
        ? graph.getConfiguration()
        : ((MultiLayerNetwork) network).getLayerWiseConfigurations();
  }

  private static Model restored(Path file, boolean graph) throws IOException {
    return graph
        ? ModelSerializer.restoreComputationGraph(file.toFile(), true)
        : ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true);
  }

  private static String there(Path file, boolean graph) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                RestoredTraining.class.getName(),
                file.toString(),
                String.valueOf(graph))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    return output.lines().reduce("", (first, last) -> last);
  }
}
