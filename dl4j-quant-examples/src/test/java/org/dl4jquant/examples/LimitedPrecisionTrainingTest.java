package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run: rounding stands still while the others learn, and the files say so. */
final class LimitedPrecisionTrainingTest {
  @TempDir Path folder;

  @Test
  void roundingStandsStillWhereTheOthersLearn() throws IOException {
    int status =
        LimitedPrecisionTraining.run(
            "--data", "digits", "--epochs", "2", "--seeds", "2", "--folder", folder.toString());

    assertEquals(0, status);
    JsonNode result = new ObjectMapper().readTree(folder.resolve("result.json").toFile());
    for (String scheme : List.of("float", "accumulated", "residual", "stochastic")) {
      assertTrue(result.get(scheme).doubleValue() > 0.5, scheme);
    }
    assertTrue(result.get("naive").doubleValue() < 0.2);
    assertEquals(5, result.size());
    assertEquals(9, Files.readAllLines(folder.resolve("table.md")).size());
    assertTrue(Files.readString(folder.resolve("curves.svg")).contains(">residual</text>"));
    List<String> rows = Files.readAllLines(folder.resolve("curves.csv"));
    assertEquals("epoch,float,accumulated,residual,naive,stochastic", rows.get(0));
    assertEquals(4, rows.size());
    List<String> first = Splitter.on(',').splitToList(rows.get(1));
    List<String> last = Splitter.on(',').splitToList(rows.get(3));
    assertEquals(first.get(4), last.get(4), "naive");
    assertNotEquals(first.get(2), last.get(2), "accumulated");
  }

  @Test
  void badOptionsAreRefused() {
    assertEquals(2, LimitedPrecisionTraining.run("--bits", "many"));
    assertEquals(2, LimitedPrecisionTraining.run("--bits", "1"));
    assertEquals(2, LimitedPrecisionTraining.run("--seeds", "0"));
    assertEquals(2, LimitedPrecisionTraining.run("--epochs", "0"));
  }
}
