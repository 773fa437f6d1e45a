package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run: the files and the report; accuracy is the long run's business. */
final class DigitsQuickstartTest {
  @TempDir Path folder;

  @Test
  void writesThreeNetworksAndAReport() throws IOException {
    JsonNode report = DigitsQuickstart.run(folder, 2, 42);

    assertEquals(report.toString(), written().toString());
    requireAccuracy(report.at("/float/accuracy"));
    requireAccuracy(report.at("/quantized/accuracy"));
    assertEquals(3, report.get("files").size());
    for (String name : new String[] {"float.zip", "quantized.zip", "quantized.dq.zip"}) {
      JsonNode bytes = report.get("files").get(name);
      assertTrue(bytes.isIntegralNumber(), name + " " + bytes);
      assertEquals(Files.size(folder.resolve(name)), bytes.longValue());
    }
    requireLayers(report.get("layers"), report.at("/search/lowPrecisionLayers").intValue());
    assertTrue(report.at("/search/evaluations").isInt());
    assertTrue(report.at("/search/evaluations").intValue() <= 4); // 1 + ceil(log2(5 + 1))
    assertEquals(0.004, report.at("/search/maxDrop").doubleValue());
  }

  private static void requireAccuracy(JsonNode accuracy) {
    assertTrue(accuracy.isDouble(), accuracy.toString());
    assertTrue(accuracy.doubleValue() > 0.1 && accuracy.doubleValue() <= 1, accuracy.toString());
  }

  private static void requireLayers(JsonNode layers, int low) {
    Map<String, Integer> bits = new LinkedHashMap<>();
    for (JsonNode layer : layers) {
      assertTrue(layer.get("name").isTextual(), layer.toString());
      assertTrue(layer.get("bits").isInt(), layer.toString());
      boolean weighted = layer.get("bits").intValue() < 32;
      assertEquals(weighted, layer.get("statistic").isDouble(), layer.toString());
      assertEquals(weighted, layer.get("sqnrDb").isDouble(), layer.toString());
      bits.put(layer.get("name").textValue(), layer.get("bits").intValue());
    }
    assertEquals(
        List.of("conv1", "conv2", "pool1", "conv3", "pool2", "dense", "output"),
        List.copyOf(bits.keySet()));
    assertEquals(low, Collections.frequency(bits.values(), 4));
    assertEquals(5 - low, Collections.frequency(bits.values(), 8));
    assertEquals(2, Collections.frequency(bits.values(), 32));
  }

  private JsonNode written() throws IOException {
    return new ObjectMapper().readTree(folder.resolve("report.json").toFile());
  }
}
