package org.dl4jquant.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

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

  private static String shown(long steps) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (Progress progress = Progress.start("fit", steps, false, out)) {
      progress.step();
      progress.step("half way");
    }
    return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }
}
