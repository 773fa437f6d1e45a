package org.dl4jquant.datafile;

import com.google.common.collect.ImmutableMap;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** The named arrays of a NumPy {@code .npz} file, compressed or not. */
final class NpzFile {
  private static final String SUFFIX = ".npy";

  private NpzFile() {}

  /**
   * Returns every array by its name, in the order of the file.
   *
   * @throws InvalidDataFileException if the file is not a zip file of {@code .npy} arrays
   * @throws UncheckedIOException if reading fails
   */
  static ImmutableMap<String, NpyArray> read(Path file) {
    ImmutableMap.Builder<String, NpyArray> arrays = ImmutableMap.builder();
    try (ZipFile zip = new ZipFile(file.toFile())) {
      Enumeration<? extends ZipEntry> entries = zip.entries();
      while (entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        if (entry.getName().endsWith(SUFFIX)) {
          String name = entry.getName().substring(0, entry.getName().length() - SUFFIX.length());
          try (DataInputStream in = new DataInputStream(zip.getInputStream(entry))) {
            arrays.put(name, NpyArray.read(in, file + ", array " + name));
          }
        }
      }
      return arrays.buildOrThrow();
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
