package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.examples.FineTuningStudy.Setting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FineTuningStudyTest {
  @Test
  void fineTuningKeepsOrRaisesWhatRoundingLeft(@TempDir Path directory) throws IOException {
    var subject =
        new IntegerAccuracyStudy.Subject(
            "digits", "MLP", seed -> Networks.mlp(64, Digits.CLASSES, seed), Digits::vectors, 8);
    List<Setting> settings =
        List.of(
            Setting.uniform(2, 8).forEpochs(3),
            Setting.mixed(3, 5),
            Setting.uniform(3, 6).withLevels(),
            Setting.uniform(3, 4).withLearnedSteps());
    FineTuningStudy study = new FineTuningStudy(directory);
    List<FineTuningTrial> trials = study.run(List.of(subject), List.of(1L), settings);
    FineTuningTrial two = trials.get(0);
    assertTrue(two.tuned() > two.floatAccuracy() - 0.01, two.toString());
    assertTrue(two.tuned() > two.rounded() - 0.005, two.toString());
    FineTuningTrial mixed = trials.get(1);
    assertTrue(mixed.averageBits() <= 5 && mixed.averageBits() > 3, mixed.toString());
    FineTuningTrial levels = trials.get(2);
    assertTrue(levels.tuned() > 0.9, levels.toString());
    FineTuningTrial learned = trials.get(3);
    assertEquals("W3A4 LSQ", learned.setting());
    assertTrue(learned.tuned() > 0.9, learned.toString());
    assertEquals(trials, study.run(List.of(subject), List.of(1L), settings));
    assertEquals(4, Files.readAllLines(directory.resolve("fine-tuning.jsonl")).size());
    assertTrue(FineTuningTrial.table(trials).contains("| W2A8, 3 epochs | digits | MLP | 1 |"));
  }
}
