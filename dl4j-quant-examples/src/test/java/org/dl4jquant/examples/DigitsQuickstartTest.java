package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run: the files and the report; accuracy is the long run's business. */
final class DigitsQuickstartTest {
  @TempDir Path folder;

  @Test
  void writesThreeNetworksAndAReport() throws IOException {
    JsonNode report = DigitsQuickstart.run(folder, 2);

    assertEquals(report.toString(), written().toString());
    assertTrue(report.at("/float/accuracy").doubleValue() > 0.1);
    assertTrue(report.at("/quantized/accuracy").doubleValue() > 0.1);
    assertTrue(report.at("/search/evaluations").intValue() <= 4);
    for (String name : new String[] {"float.zip", "quantized.zip", "quantized.dq.zip"}) {
      assertEquals(Files.size(folder.resolve(name)), report.at("/files").get(name).longValue());
    }
    int weighted = 0;
    for (JsonNode layer : report.get("layers")) {
      weighted += layer.get("statistic").isNumber() ? 1 : 0;
      assertTrue(layer.get("bits").isInt());
    }
    assertEquals(5, weighted);
  }

  private JsonNode written() throws IOException {
    return new ObjectMapper().readTree(folder.resolve("report.json").toFile());
  }
}
