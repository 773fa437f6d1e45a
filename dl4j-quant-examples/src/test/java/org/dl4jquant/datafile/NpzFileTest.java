package org.dl4jquant.datafile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("ByteBufferBackingArray") // every buffer here is allocated on the heap
final class NpzFileTest {
  private static final String TYPE_RULE =
      "array x: element type must be float16, float32, float64, boolean or an integer of 8 to 64"
          + " bits, found ";

  @TempDir Path folder;

  @Test
  void readsEveryNumberType() throws IOException {
    assertArrayEquals(new double[] {1.5, -2}, values("<f4", le(8).putFloat(1.5f).putFloat(-2)));
    assertArrayEquals(new double[] {1e300}, values("<f8", le(8).putDouble(1e300)));
    assertArrayEquals(new double[] {255, 1}, values("|u1", le(2).put((byte) -1).put((byte) 1)));
    assertArrayEquals(new double[] {-1}, values("|i1", le(1).put((byte) -1)));
    assertArrayEquals(new double[] {1, 0}, values("|b1", le(2).put((byte) 1).put((byte) 0)));
    assertArrayEquals(new double[] {-2}, values("<i2", le(2).putShort((short) -2)));
    assertArrayEquals(new double[] {65534}, values("<u2", le(2).putShort((short) -2)));
    assertArrayEquals(new double[] {-3}, values("<i4", le(4).putInt(-3)));
    assertArrayEquals(new double[] {4294967293.0}, values("<u4", le(4).putInt(-3)));
    assertArrayEquals(new double[] {-4}, values("<i8", le(8).putLong(-4)));
    assertArrayEquals(new double[] {7}, values(">i4", ByteBuffer.allocate(4).putInt(7)));
  }

  @Test
  void readsHalfPrecision() throws IOException {
    short[] bits = {0x3c00, (short) 0xc000, 0x3555, 0x7bff, 0x0400, 0x0001, (short) 0x83ff, 0};
    double[] expected = {
      1, -2, 0.333251953125, 65504, 0x1p-14, 0x1p-24, -0x3ffp-24, 0
    }; // as numpy.float16 gives them
    ByteBuffer bytes = le(2 * bits.length);
    for (short each : bits) {
      bytes.putShort(each);
    }
    assertArrayEquals(expected, values("<f2", bytes));
    assertArrayEquals(
        new double[] {Double.NEGATIVE_INFINITY, Double.NaN, -0.0},
        values(
            "<f2",
            le(6).putShort((short) 0xfc00).putShort((short) 0x7e01).putShort((short) 0x8000)));
    assertArrayEquals(
        new double[] {1}, values(">f2", ByteBuffer.allocate(2).putShort((short) 0x3c00)));
  }

  @Test
  void readsColumnMajorOrderAsRowMajor() throws IOException {
    byte[] columns = {1, 4, 2, 5, 3, 6};
    Path file = npz(Map.of("x", npy("|u1", true, "(2, 3)", columns)));

    NpyArray array = NpzFile.read(file, "x");

    assertArrayEquals(new int[] {2, 3}, array.shape());
    assertArrayEquals(new double[] {1, 2, 3, 4, 5, 6}, array.values());
  }

  @Test
  void aScalarHasNoAxes() throws IOException {
    NpyArray array = NpzFile.read(npz(Map.of("s", npy("|u1", false, "()", new byte[] {9}))), "s");

    assertEquals(0, array.shape().length);
    assertArrayEquals(new double[] {9}, array.values());
  }

  @Test
  void namesTheFileTheArrayAndTheFault() throws IOException {
    assertFails("array x: is not a .npy array", "hello".getBytes(StandardCharsets.UTF_8));
    assertFails(
        "array x: must hold 8 bytes of data, found 4", npy("<f4", false, "(2,)", new byte[4]));
    assertFails(TYPE_RULE + "str", npy("<U3", false, "(1,)", new byte[12]));
    assertFails(TYPE_RULE + "float128", npy("<f16", false, "(1,)", new byte[16]));
    assertFails(TYPE_RULE + "complex64", npy("<c8", false, "(1,)", new byte[8]));
    assertFails(TYPE_RULE + "object", npy("|O", false, "(1,)", new byte[8]));
    assertFails(TYPE_RULE + "datetime64", npy("<M8[ns]", false, "(1,)", new byte[8]));
    assertFails(TYPE_RULE + "'q7'", npy("<q7", false, "(1,)", new byte[8]));
    assertFails(
        "array x: shape must fit into one array", npy("<f4", false, "(65536, 65536)", new byte[0]));
    assertFails(
        "array x: has a shape that is too large", npy("<f4", false, "(99999999999,)", new byte[0]));
  }

  @Test
  void refusesWhatIsNotAZipFileOrNotThere() throws IOException {
    Path text = Files.writeString(folder.resolve("text.npz"), "hello");

    assertEquals(
        text + ": is not a readable .npz file",
        assertThrows(InvalidDataFileException.class, () -> NpzFile.names(text)).getMessage());
    Path missing = folder.resolve("missing.npz");
    assertEquals(
        missing + ": does not exist or cannot be read",
        assertThrows(InvalidDataFileException.class, () -> NpzFile.names(missing)).getMessage());
  }

  private void assertFails(String message, byte[] array) throws IOException {
    Path file = npz(Map.of("x", array));
    String found =
        assertThrows(InvalidDataFileException.class, () -> NpzFile.read(file, "x")).getMessage();
    assertTrue(found.startsWith(file + ", " + message), found);
  }

  private double[] values(String type, ByteBuffer bytes) throws IOException {
    int width = type.charAt(2) - '0';
    String shape = "(" + bytes.capacity() / width + ",)";
    Path file = npz(Map.of("x", npy(type, false, shape, bytes.array())));
    return NpzFile.read(file, "x").values();
  }

  private static ByteBuffer le(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] npy(String type, boolean fortran, String shape, byte[] values) {
    String header =
        "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n"
            .formatted(type, fortran ? "True" : "False", shape);
    ByteBuffer bytes = le(10 + header.length() + values.length);
    bytes.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    bytes.put((byte) 1).put((byte) 0).putShort((short) header.length());
    bytes.put(header.getBytes(StandardCharsets.US_ASCII)).put(values);
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  private Path npz(Map<String, byte[]> arrays) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> array : arrays.entrySet()) {
        zip.putNextEntry(new ZipEntry(array.getKey() + ".npy"));
        zip.write(array.getValue());
      }
    }
    return Files.write(Files.createTempFile(folder, "a", ".npz"), bytes.toByteArray());
  }
}
