package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run on a network that was not trained: what is measured and written. */
final class ChannelFormatStudyTest {
  private static List<String> cells(String line) {
    return Stream.of(line.split("\\|")).map(String::strip).filter(c -> !c.isEmpty()).toList();
  }

  @Test
  void everyFormatIsMeasuredOnEveryNetworkInTheDirectory(@TempDir Path directory)
      throws IOException {
    File file = directory.resolve("digits-MLP-42.zip").toFile();
    ModelSerializer.writeModel(Networks.mlp(64, Digits.CLASSES, 42), file, false);
    Path trials = directory.resolve("trials.jsonl");
    List<String> settings = List.of("W8A8 layer", "W8A8 SHIFT_MAX", "W4A8 layer", "W4A8 SHIFT_MAX");
    for (String setting : settings) { // of a run before
      TrialFile.append(trials, new AccuracyTrial("Fashion", "MLP", 42, setting, 0.8, 0.79, 40.0));
    }
    String[] arguments = {directory.toString(), "1", "MLP", "W[48]A8 (layer|SHIFT_MAX)"};
    ChannelFormatStudy.main(arguments);

    List<String> lines = Files.readAllLines(directory.resolve("channel-formats.md"));
    int table = lines.indexOf("## SQNR of the logits in dB");
    List<String> columns = cells(lines.get(table + 2));
    assertEquals(settings, columns.subList(2, columns.size()));
    List<String> digits = cells(lines.get(table + 4));
    List<String> fashion = cells(lines.get(table + 5));
    List<String> all = cells(lines.get(table + 6));
    assertEquals(List.of("digits", "MLP"), digits.subList(0, 2));
    assertEquals(List.of("Fashion", "MLP", "40.0", "40.0", "40.0", "40.0"), fashion);
    for (int column = 2; column < digits.size(); column++) {
      double decibels = Double.parseDouble(digits.get(column));
      assertEquals((decibels + 40) / 2, Double.parseDouble(all.get(column - 1)), 0.11);
      assertTrue(decibels > (column < 4 ? 30 : 15), lines::toString);
    }
    assertTrue(lines.contains("## Points of accuracy lost"), lines::toString);

    var measured = Files.getLastModifiedTime(trials);
    ChannelFormatStudy.main(arguments);
    assertEquals(measured, Files.getLastModifiedTime(trials));
    assertEquals(lines, Files.readAllLines(directory.resolve("channel-formats.md")));
  }
}
