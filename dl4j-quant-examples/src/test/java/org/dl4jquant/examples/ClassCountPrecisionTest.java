package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.base.Splitter;
import com.google.common.collect.Iterables;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/**
 * A short run: below the bound the errors of the wrong classes are lost, at the bound they are not.
 */
final class ClassCountPrecisionTest {
  private static JsonNode lastLine(String... arguments) throws IOException {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      assertEquals(0, ClassCountPrecision.run(arguments));
    } finally {
      System.setOut(before);
    }
    String text = printed.toString(StandardCharsets.UTF_8);
    return new ObjectMapper()
        .readTree(Iterables.getLast(Splitter.on('\n').omitEmptyStrings().split(text)));
  }

  @Test
  void gradientsAreOutOfBalanceBelowTheBoundOnly() throws IOException {
    JsonNode json = lastLine("--steps", "20");
    int[][] bounds = {{10, 5}, {100, 8}, {1000, 11}};
    for (int[] bound : bounds) {
      JsonNode node = json.get(String.valueOf(bound[0]));
      assertEquals(bound[1], node.get("bound").intValue());
      JsonNode imbalance = node.get("imbalance");
      assertTrue(imbalance.get(String.valueOf(bound[1] - 2)).doubleValue() > 0.6, json::toString);
      assertTrue(imbalance.get(String.valueOf(bound[1])).doubleValue() < 0.25, json::toString);
      assertTrue(imbalance.get(String.valueOf(bound[1] + 1)).doubleValue() < 0.15, json::toString);
      assertTrue(node.get("float").doubleValue() > 5.0 / bound[0], json::toString);
    }
  }

  @Test
  void badOptionsAreRefused() {
    assertEquals(2, ClassCountPrecision.run("--steps", "9"));
    assertEquals(2, ClassCountPrecision.run("--seeds", "0"));
    assertEquals(2, ClassCountPrecision.run("--learning-rate", "0"));
  }
}
