package org.dl4jquant.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class ProgressTest {
  @Test
  void withoutATerminalOneLineSaysWhatStarts() {
    assertEquals("fit (3 steps) ...\n", shown(3));
    assertEquals("fit ...\n", shown(-1));
  }

  @Test
  void withoutATerminalEachQuarterOfALongTaskHasALine() {
    assertEquals(
        "fit (5 steps) ...\nfit: 2 of 5, half way\n", shown(5)); // 1 of 5 is below a quarter
    assertEquals("fit (8 steps) ...\nfit: 2 of 8, half way\n", shown(8));
    assertEquals("fit (4 steps) ...\nfit: 1 of 4\nfit: 2 of 4, half way\n", shown(4));
  }

  @Test
  void moreStepsThanWereToldAreNotShown() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (Progress progress = Progress.start("fit", 4, false, out)) {
      for (int i = 0; i < 9; i++) {
        progress.step();
      }
    }
    String shown = bytes.toString(StandardCharsets.UTF_8);
    assertEquals(5, shown.lines().count(), shown);
    assertTrue(shown.stripTrailing().endsWith("fit: 4 of 4"), shown);
  }

  @Test
  void onATerminalABarTellsHowFarItIs() {
    String bar = shown(2, true);
    for (String part : new String[] {"fit", "100%", "2/2", "half way"}) {
      assertTrue(bar.contains(part), part + " in " + bar);
    }
  }

  private static String shown(long steps) {
    return shown(steps, false);
  }

  private static String shown(long steps, boolean terminal) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (Progress progress = Progress.start("fit", steps, terminal, out)) {
      progress.step();
      progress.step("half way");
    }
    return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }
}
