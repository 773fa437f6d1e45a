package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.QuantizedModel;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.SearchResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** The code of the README, and the check that it is the same. */
final class UserGuideTest {
  @TempDir Path folder;

  @Test
  void theSampleOfTheReadmeRuns() {
    Split digits = Digits.vectors(1);
    MultiLayerNetwork network = Networks.mlp(64, Digits.CLASSES, 1);
    DataSetIterator train = Split.batches(digits.train(), 64);
    DataSetIterator validation = Split.batches(digits.validation(), 360);

    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.addListeners(listener);
    network.fit(train, 10);
    Quantization quantization = Quantization.of(network).weightBits(8);
    SearchResult found =
        quantization
            .search(listener.snapshot())
            .lowBits(4)
            .maxDrop(0.01)
            .build()
            .run(quantization.evaluating(candidate -> accuracy(candidate, validation)));
    QuantizedModel quantized = quantization.convert(found.best().plan());
    System.out.println(quantized.report());
    quantized.save(folder.resolve("network.dq.zip"));

    assertEquals(
        found.best().metric(),
        accuracy(QuantizedModel.load(folder.resolve("network.dq.zip")).toNetwork(), validation));
    assertTrue(found.best().loss() <= 0.01);
  }

  private static double accuracy(Model network, DataSetIterator data) {
    data.reset();
    return ((MultiLayerNetwork) network).evaluate(data).accuracy();
  }

  @Test
  void theReadmeShowsThisCode() throws IOException {
    String test = squeeze(Files.readString(Path.of("src/test/java/" + path())));
    String readme = Files.readString(Path.of("../README.md"));
    int from = readme.indexOf("```java\n") + "```java\n".length();
    String sample = readme.substring(from, readme.indexOf("```", from));
    for (String statement : Splitter.on(";").split(sample)) {
      String code = squeeze(statement).replace("Path.of(", "folder.resolve(");
      assertTrue(test.contains(code), code);
    }
  }

  private static String path() {
    return UserGuideTest.class.getName().replace('.', '/') + ".java";
  }

  private static String squeeze(String code) {
    return code.replaceAll("\\s", "");
  }
}
