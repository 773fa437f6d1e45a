package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import org.junit.jupiter.api.Test;

final class FineTuningExamplesTest {
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
}
