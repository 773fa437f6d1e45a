package org.dl4jquant.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.Function;
import java.util.zip.GZIPInputStream;

/** Opens the data files that ride in this module's jar, all of them gzip-compressed. */
final class BundledFile {
  private BundledFile() {}

  /** Returns what {@code reader} makes of the uncompressed file. */
  static <T> T read(String name, Function<InputStream, T> reader) {
    try (InputStream raw = BundledFile.class.getResourceAsStream(name)) {
      if (raw == null) {
        throw new IllegalStateException("the jar lacks its resource " + name);
      }
      try (InputStream in = new GZIPInputStream(raw)) {
        return reader.apply(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
