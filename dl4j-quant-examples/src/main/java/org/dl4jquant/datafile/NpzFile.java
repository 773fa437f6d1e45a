package org.dl4jquant.datafile;

import com.google.common.collect.ImmutableSet;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** The named arrays of a NumPy {@code .npz} file, compressed or not. */
final class NpzFile {
  private static final String SUFFIX = ".npy";

  private NpzFile() {}

  /**
   * Returns the names of the arrays, in the order of the file.
   *
   * @throws InvalidDataFileException if the file does not exist or is not a zip file
   */
  static ImmutableSet<String> names(Path file) {
    return open(
        file,
        zip ->
            zip.stream()
                .map(ZipEntry::getName)
                .filter(name -> name.endsWith(SUFFIX))
                .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                .collect(ImmutableSet.toImmutableSet()));
  }

  /**
   * Returns one array.
   *
   * @throws InvalidDataFileException if the file is not a zip file with this array
   * @throws UncheckedIOException if reading fails
   */
  static NpyArray read(Path file, String name) {
    return open(
        file,
        zip -> {
          ZipEntry entry = zip.getEntry(name + SUFFIX);
          if (entry == null) {
            throw new InvalidDataFileException(file.toString(), "must have an array " + name);
          }
          try (DataInputStream in = new DataInputStream(zip.getInputStream(entry))) {
            return NpyArray.read(in, file + ", array " + name);
          }
        });
  }

  private interface Reading<T> {
    T from(ZipFile zip) throws IOException;
  }

  private static <T> T open(Path file, Reading<T> reading) {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      return reading.from(zip);
    } catch (ZipException | EOFException e) {
      throw new InvalidDataFileException(file.toString(), "is not a readable .npz file", e);
    } catch (IOException e) {
      if (!Files.isReadable(file)) {
        throw new InvalidDataFileException(file.toString(), "does not exist or cannot be read", e);
      }
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
