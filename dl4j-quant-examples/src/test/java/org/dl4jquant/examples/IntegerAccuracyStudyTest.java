package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.examples.IntegerAccuracyStudy.Setting;
import org.dl4jquant.examples.IntegerAccuracyStudy.Subject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short run: what is measured and kept; what comes out of it is the long run's business. */
final class IntegerAccuracyStudyTest {
  private static final Subject MLP =
      new Subject(
          "digits", "MLP", seed -> Networks.mlp(64, Digits.CLASSES, seed), Digits::vectors, 5);

  @Test
  void aSecondRunGoesOnWhereTheFirstEnded(@TempDir Path directory) throws IOException {
    IntegerAccuracyStudy study = new IntegerAccuracyStudy(directory.resolve("new"));
    List<Setting> one = List.of(Setting.of(8, 8, "mse", 100));
    AccuracyTable first = study.run(List.of(MLP), List.of(1L), one);
    Path network = directory.resolve("new").resolve("digits-MLP-1.zip");
    var trained = Files.getLastModifiedTime(network);

    List<Setting> two =
        List.of(one.get(0), Setting.of(2, 4, "max-abs", 100).withoutBiasCorrection());
    AccuracyTable second = study.run(List.of(MLP), List.of(1L), two);

    assertEquals(trained, Files.getLastModifiedTime(network));
    assertEquals(first.trials().get(0), second.trials().get(0));
    assertEquals(
        second.trials(),
        TrialFile.read(directory.resolve("new").resolve("trials.jsonl"), AccuracyTrial.class));
    AccuracyTrial fine = second.trials().get(0);
    AccuracyTrial coarse = second.trials().get(1);
    assertTrue(fine.floatAccuracy() > 0.8, "trained to " + fine.floatAccuracy());
    assertEquals(0, fine.pointsLost(), 2);
    assertTrue(fine.logitSqnrDb() > 25, "W8A8: " + fine.logitSqnrDb());
    assertTrue(coarse.logitSqnrDb() < fine.logitSqnrDb() - 10, "W2A4: " + coarse.logitSqnrDb());
    assertEquals(coarse.floatAccuracy(), fine.floatAccuracy());
  }

  @Test
  void tableGivesMeanAndSpreadOverSeeds() {
    AccuracyTable table =
        new AccuracyTable(
            ImmutableList.of(
                new AccuracyTrial("digits", "MLP", 1, "W8A8", 0.96, 0.95, 40),
                new AccuracyTrial("digits", "MLP", 2, "W8A8", 0.98, 0.98, 42)));
    assertEquals(
        """
        | data | network | setting | seeds | float accuracy | in integers | points lost | most lost \
        | logit SQNR, dB |
        |---|---|---|---|---|---|---|---|---|
        | digits | MLP | W8A8 | 2 | 97.00 ± 1.41 | 96.50 ± 2.12 | 0.50 ± 0.71 | 1.00 | 41.0 ± 1.4 |

        Over all networks and seeds:

        | setting | trials | points lost | most lost | logit SQNR, dB |
        |---|---|---|---|---|
        | W8A8 | 2 | 0.50 ± 0.71 | 1.00 | 41.0 ± 1.4 |
        """,
        table.markdown());
  }
}
