package org.dl4jquant.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void createsTheFoldersAndReplacesTheFile() throws IOException {
    Path file = folder.resolve("a/b/c.txt");

    AtomicFile.write(file, out -> out.write('1'));
    AtomicFile.write(file, out -> out.write('2'));

    assertEquals("2", Files.readString(file));
    assertEquals(List.of(file), list(file.getParent()));
  }

  @Test
  void contentThatFailsLeavesTheOldFileAndNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("c.txt"), "old");

    UncheckedIOException e =
        assertThrows(
            UncheckedIOException.class,
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write('n');
                      throw new IOException("no space");
                    }));

    assertTrue(e.getMessage().contains(file + ": cannot be written: no space"), e.getMessage());
    assertEquals("old", Files.readString(file));
    assertEquals(List.of(file), list(folder));
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }
}
