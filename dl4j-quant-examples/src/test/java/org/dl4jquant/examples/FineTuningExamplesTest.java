package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FineTuningExamplesTest {
  @TempDir Path folder;

  @Test
  void weightedEntropyIsFineTuned() {
    ObjectNode result = WeightedEntropyExample.run(4, 2);
    assertTrue(result.get("float").asDouble() > 0.85, result.toString());
    double tuned = result.get("fineTuned").asDouble();
    assertTrue(tuned > result.get("weightedEntropy").asDouble() - 0.02, result.toString());
    assertTrue(tuned > result.get("float").asDouble() - 0.04, result.toString());
  }

  @Test
  void mixedPrecisionSaysWhatItIsAskedFor() {
    ObjectNode result = MixedPrecisionFineTuningExample.run(1, 1);
    assertEquals(
        ImmutableList.of("float", "postTraining", "mixed", "averageBits"),
        ImmutableList.copyOf(result.fieldNames()));
    assertTrue(result.get("averageBits").asDouble() <= 4, result.toString());
    assertTrue(result.get("mixed").asDouble() > 0.4, result.toString());
  }

  @Test
  void allMethodsWorkTogether() throws IOException {
    ObjectNode result = AllMethods.run(folder, 8, 1, 3);
    assertTrue(result.get("lowLayers").asInt() > 0, result.toString());
    assertTrue(result.get("averageBits").asDouble() < 8, result.toString());
    double tuned = result.get("mixed").asDouble();
    assertTrue(tuned > result.get("float").asDouble() - 0.08, result.toString());
    assertEquals(tuned, result.get("integers").asDouble(), 0.006, result.toString());
    assertEquals(0, result.get("onnxMismatches").asLong(), result.toString());
    assertTrue(result.get("onnxCodes").asLong() > 0, result.toString());
  }
}
