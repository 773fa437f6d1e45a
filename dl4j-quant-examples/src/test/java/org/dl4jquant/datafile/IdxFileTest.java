package org.dl4jquant.datafile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

final class IdxFileTest {
  private static final byte[] TWO_BY_THREE = {
    0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, -1
  };

  @Test
  void readsShapeAndBytes() {
    IdxFile file = read(TWO_BY_THREE);

    assertArrayEquals(new int[] {2, 3}, file.shape());
    assertArrayEquals(new byte[] {1, 2, 3, 4, 5, -1}, file.values());
  }

  @Test
  void readsGzipToo() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(TWO_BY_THREE);
    }

    assertArrayEquals(read(TWO_BY_THREE).values(), read(bytes.toByteArray()).values());
    assertFails("f: is damaged or cut off", Arrays.copyOf(bytes.toByteArray(), 20));
  }

  @Test
  void refusesWhatIsNotIdx() {
    assertFails("f: is not an IDX file", "hello, world".getBytes(StandardCharsets.UTF_8));
    assertFails("f: is damaged or cut off", new byte[] {0, 0, 8});
    assertFails(
        "f: element type must be unsigned byte (0x08), found 0xd",
        new byte[] {0, 0, 0x0d, 1, 0, 0, 0, 0});
    assertFails(
        "f: shape must fit into one array, found [2147483647, 2147483647]",
        new byte[] {0, 0, 8, 2, 127, -1, -1, -1, 127, -1, -1, -1});
  }

  @Test
  void refusesTooFewAndTooManyBytes() {
    assertFails("f: must hold 6 bytes of data, found 5", Arrays.copyOf(TWO_BY_THREE, 17));
    assertFails("f: has bytes after its 6 elements", Arrays.copyOf(TWO_BY_THREE, 19));
  }

  private static IdxFile read(byte[] bytes) {
    return IdxFile.read(new ByteArrayInputStream(bytes), "f");
  }

  private static void assertFails(String message, byte[] bytes) {
    assertEquals(
        message, assertThrows(InvalidDataFileException.class, () -> read(bytes)).getMessage());
  }
}
