package org.dl4jquant.datafile;

import com.google.common.io.ByteStreams;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.zip.ZipException;

/**
 * An array of unsigned bytes in the IDX format of the MNIST family, plain or gzip-compressed.
 *
 * @param shape the sizes, the number of examples first
 * @param values the elements in row-major order; not copied
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier between the reader and its caller
public record IdxFile(int[] shape, byte[] values) {
  private static final int UNSIGNED_BYTE = 0x08;
  private static final int MAX_DIMENSIONS = 8;

  /**
   * Reads a whole stream and leaves it open.
   *
   * @param name what error messages call the file
   * @throws InvalidDataFileException if it is not an IDX file of unsigned bytes, or is cut off or
   *     too long
   * @throws UncheckedIOException if reading fails
   */
  public static IdxFile read(InputStream stream, String name) {
    try {
      return parse(new DataInputStream(Gzip.decompress(stream)), name);
    } catch (EOFException | ZipException e) {
      throw new InvalidDataFileException(name, "is damaged or cut off", e);
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }

  private static IdxFile parse(DataInputStream in, String name) throws IOException {
    int magic = in.readInt();
    int dimensions = magic & 0xff;
    if (magic >>> 16 != 0 || dimensions == 0 || dimensions > MAX_DIMENSIONS) {
      throw new InvalidDataFileException(name, "is not an IDX file");
    }
    int type = magic >>> 8 & 0xff;
    if (type != UNSIGNED_BYTE) {
      throw new InvalidDataFileException(
          name, "element type must be unsigned byte (0x08), found 0x" + Integer.toHexString(type));
    }
    int[] shape = new int[dimensions];
    for (int i = 0; i < dimensions; i++) {
      shape[i] = in.readInt();
    }
    long elements = elements(shape, name);
    byte[] values = in.readNBytes((int) elements);
    if (values.length < elements) {
      throw new InvalidDataFileException(
          name, "must hold " + elements + " bytes of data, found " + values.length);
    }
    if (ByteStreams.exhaust(in) > 0) {
      throw new InvalidDataFileException(name, "has bytes after its " + elements + " elements");
    }
    return new IdxFile(shape, values);
  }

  private static long elements(int[] shape, String name) {
    long elements = 1;
    for (int size : shape) {
      elements *= size;
      if (size < 0 || elements > Integer.MAX_VALUE - 8) {
        throw new InvalidDataFileException(
            name, "shape must fit into one array, found " + Arrays.toString(shape));
      }
    }
    return elements;
  }
}
